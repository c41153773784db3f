"""Tables, one noun a file; no queries and no Flask here."""

from klik.models.address import Bounce, BouncedAddress, ChannelRoute, NoticeSettings
from klik.models.audit import AuditEntry, Heartbeat, JobRun, RequestKey
from klik.models.base import Base
from klik.models.bulk_change import BulkChange, BulkChangeItem
from klik.models.calendar_feed import CalendarFeed, CalendarFeedEvent
from klik.models.control import ControlReport
from klik.models.deletion import Deletion, DeletionItem, DiscardedFile, Export, ExportProof
from klik.models.departure import Departure, DepartureHeir
from klik.models.deviation import Deviation
from klik.models.list_settings import ListSettings
from klik.models.municipal_task import (
    ChecklistItem,
    Comment,
    MunicipalTask,
    MunicipalTaskField,
    MunicipalTaskFile,
    ReadMark,
    TaskChange,
)
from klik.models.municipality import Municipality
from klik.models.newsletter import Newsletter, NewsletterAddress, NewsletterRecipient
from klik.models.notice import Mail, Notice, PluginEvent
from klik.models.past import EarlierState, LastMeeting
from klik.models.person import (
    LoginAttempt,
    LoginSession,
    Membership,
    MembershipSystem,
    Person,
    SecretToken,
)
from klik.models.plugin import PluginAnnouncement, PluginFault, TopicSubscription
from klik.models.project import MunicipalSystem, Project, Round, System, Wave
from klik.models.question import Question
from klik.models.role import GalleryLookup, RoleAnswer, RoleEdition, RoleHolding, RoleReading
from klik.models.saved_filter import FilterDefault, FilterUse, SavedFilter
from klik.models.stamps import DataStamp
from klik.models.task import StoredFile, Task, TaskFile, TaskLink, TaskStep, TaskVersion, TaskVersionField

__all__ = [
    "AuditEntry",
    "Base",
    "Bounce",
    "BouncedAddress",
    "BulkChange",
    "BulkChangeItem",
    "CalendarFeed",
    "CalendarFeedEvent",
    "ChannelRoute",
    "ChecklistItem",
    "Comment",
    "ControlReport",
    "DataStamp",
    "Deletion",
    "DeletionItem",
    "Departure",
    "DepartureHeir",
    "Deviation",
    "DiscardedFile",
    "EarlierState",
    "Export",
    "ExportProof",
    "FilterDefault",
    "FilterUse",
    "GalleryLookup",
    "Heartbeat",
    "JobRun",
    "LastMeeting",
    "ListSettings",
    "LoginAttempt",
    "LoginSession",
    "Mail",
    "Membership",
    "MembershipSystem",
    "MunicipalSystem",
    "MunicipalTask",
    "MunicipalTaskField",
    "MunicipalTaskFile",
    "Municipality",
    "Newsletter",
    "NewsletterAddress",
    "NewsletterRecipient",
    "Notice",
    "NoticeSettings",
    "Person",
    "PluginAnnouncement",
    "PluginEvent",
    "PluginFault",
    "Project",
    "Question",
    "ReadMark",
    "RequestKey",
    "RoleAnswer",
    "RoleEdition",
    "RoleHolding",
    "RoleReading",
    "Round",
    "SavedFilter",
    "SecretToken",
    "StoredFile",
    "System",
    "Task",
    "TaskChange",
    "TaskFile",
    "TaskLink",
    "TaskStep",
    "TaskVersion",
    "TaskVersionField",
    "TopicSubscription",
    "Wave",
]
