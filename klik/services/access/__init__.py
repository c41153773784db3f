"""The one door to a municipality's data: whoever wants a municipal row asks here.

"Not yours" and "not there" are the same answer (NotFoundError). Nothing else in klik loads a municipal row
by its id. The functions live in the noun they are about; callers write ``access.municipal_task``.
"""

from __future__ import annotations

from klik.services.access.actor import require
from klik.services.access.comments import may_comment, own_comment, visible_comments
from klik.services.access.deletions import deletion, deletion_item, deletion_items, erased_task
from klik.services.access.files import (
    calendar_feed,
    export,
    exports,
    municipal_file,
    task_file,
)
from klik.services.access.filters import (
    filter_to_open_with,
    filter_to_share,
    own_saved_filter,
    saved_filter,
    saved_filters,
    shared_by_us,
)
from klik.services.access.ledger import (
    MENTION,
    OWN_OCCASION,
    SECRET_OCCASION,
    notices,
)
from klik.services.access.people import (
    colleague,
    gallery_lookups,
    holding_to_change,
    holdings,
    member,
    membership,
    memberships,
    municipalities,
    municipality,
    role_answer,
    sees_people,
)
from klik.services.access.questions import (
    may_ask,
    own_question,
    question_to_answer,
    visible_questions,
)
from klik.services.access.tasks import (
    Changeable,
    changeable,
    checklist_item,
    is_changer,
    known_tasks,
    may_change,
    municipal_task,
    own_bulk_change,
    published_task,
    require_changer,
    roles_held,
    sight,
    task_to_change,
    visible,
)

__all__ = [
    "MENTION",
    "OWN_OCCASION",
    "SECRET_OCCASION",
    "Changeable",
    "calendar_feed",
    "changeable",
    "checklist_item",
    "colleague",
    "deletion",
    "deletion_item",
    "deletion_items",
    "erased_task",
    "export",
    "exports",
    "filter_to_open_with",
    "filter_to_share",
    "gallery_lookups",
    "holding_to_change",
    "holdings",
    "is_changer",
    "known_tasks",
    "may_ask",
    "may_change",
    "may_comment",
    "member",
    "membership",
    "memberships",
    "municipal_file",
    "municipal_task",
    "municipalities",
    "municipality",
    "notices",
    "own_bulk_change",
    "own_comment",
    "own_question",
    "own_saved_filter",
    "published_task",
    "question_to_answer",
    "require",
    "require_changer",
    "role_answer",
    "roles_held",
    "saved_filter",
    "saved_filters",
    "sees_people",
    "shared_by_us",
    "sight",
    "task_file",
    "task_to_change",
    "visible",
    "visible_comments",
    "visible_questions",
]
