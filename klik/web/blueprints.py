"""Every package of pages, in the order of the menu."""

from __future__ import annotations

from flask import Blueprint

from klik.web.accounts.password import blueprint as password
from klik.web.accounts.views import blueprint as accounts
from klik.web.calendar.feed import blueprint as calendar_feed
from klik.web.calendar.views import blueprint as calendar
from klik.web.contacts.mailing_list import blueprint as mailing_list
from klik.web.contacts.role_card import blueprint as role_card
from klik.web.contacts.views import blueprint as contacts
from klik.web.correcting.deviations import blueprint as deviations
from klik.web.correcting.views import blueprint as correcting
from klik.web.deleting.follow_up import blueprint as deletion_follow_up
from klik.web.deleting.holds import blueprint as deletion_holds
from klik.web.deleting.views import blueprint as deleting
from klik.web.departures.views import blueprint as departures
from klik.web.exports.listed import blueprint as list_export
from klik.web.exports.views import blueprint as exports
from klik.web.filters.views import blueprint as filters
from klik.web.front.views import blueprint as front
from klik.web.handling.views import blueprint as handling
from klik.web.newsletters.sending import blueprint as newsletter_sending
from klik.web.newsletters.subscribing import blueprint as newsletter_subscribing
from klik.web.newsletters.views import blueprint as newsletters
from klik.web.newsletters.writing import blueprint as newsletter_writing
from klik.web.notices.channels import blueprint as channels
from klik.web.notices.inbox import blueprint as inbox
from klik.web.notices.preferences import blueprint as preferences
from klik.web.notices.topics import blueprint as topics
from klik.web.notices.views import blueprint as notices
from klik.web.operations.views import blueprint as operations
from klik.web.overview.follow_up import blueprint as follow_up
from klik.web.overview.meetings import blueprint as meetings
from klik.web.overview.views import blueprint as overview
from klik.web.pages.views import blueprint as pages
from klik.web.people.addresses import blueprint as addresses
from klik.web.people.explaining import blueprint as explaining
from klik.web.people.looked_up import blueprint as looked_up
from klik.web.people.views import blueprint as people
from klik.web.publishing.files import blueprint as publishing_files
from klik.web.publishing.life import blueprint as publishing_life
from klik.web.publishing.not_relevant import blueprint as publishing_not_relevant
from klik.web.publishing.playbook import blueprint as playbook
from klik.web.publishing.views import blueprint as publishing
from klik.web.publishing.writing import blueprint as writing
from klik.web.questions.asking import blueprint as asking
from klik.web.questions.views import blueprint as questions
from klik.web.roles.matrix import blueprint as role_matrix
from klik.web.roles.sheet import blueprint as gallery_sheet
from klik.web.roles.views import blueprint as roles
from klik.web.still_you.answering import blueprint as answering_roles
from klik.web.still_you.answering import linked as roles_by_link
from klik.web.still_you.settling import blueprint as role_answers
from klik.web.systems.views import blueprint as systems
from klik.web.tasks.announced import blueprint as announced
from klik.web.tasks.bulk import blueprint as bulk
from klik.web.tasks.checklist import blueprint as checklist
from klik.web.tasks.columns import blueprint as list_columns
from klik.web.tasks.inline import blueprint as inline
from klik.web.tasks.local import blueprint as local_task
from klik.web.tasks.page import blueprint as task
from klik.web.tasks.views import blueprint as tasks
from klik.web.verifying.views import blueprint as verifying
from klik.web.waves.views import blueprint as waves


def all_blueprints() -> tuple[Blueprint, ...]:
    """The blueprints of the core."""
    return (
        front,
        accounts,
        notices,
        preferences,
        topics,
        inbox,
        handling,
        channels,
        deleting,
        deletion_follow_up,
        deletion_holds,
        operations,
        tasks,
        overview,
        meetings,
        follow_up,
        list_columns,
        announced,
        filters,
        task,
        checklist,
        local_task,
        inline,
        bulk,
        list_export,
        pages,
        password,
        people,
        departures,
        looked_up,
        addresses,
        explaining,
        gallery_sheet,
        roles,
        role_matrix,
        roles_by_link,
        answering_roles,
        role_answers,
        contacts,
        mailing_list,
        role_card,
        publishing,
        publishing_life,
        publishing_not_relevant,
        correcting,
        deviations,
        questions,
        asking,
        publishing_files,
        writing,
        playbook,
        calendar,
        calendar_feed,
        exports,
        systems,
        waves,
        newsletters,
        newsletter_writing,
        newsletter_sending,
        newsletter_subscribing,
        verifying,
    )
