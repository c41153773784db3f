"""The interface for plug-ins: everything a plug-in may import of klik, and nothing else stays put.

A plug-in is a module named by an entry point in the group ``klik.plugins``. It says ``KLIK_API = (1, 0)`` and
implements hooks (docs/hooks.md) with ``hookimpl``. Beside this module a plug-in may import ``klik.plugins.forms`` (the
bases of forms), ``klik.plugins.sheets`` (CSV and Excel) and ``klik.plugins.driftsside`` (a driftsside of its own).
"""

from klik.content.roles import Holders, RoleDescription, RoleScope
from klik.domain.calendar import MONTHS, clock, days, in_denmark, long_date, parse_date
from klik.domain.cpr import find as find_cpr_numbers
from klik.domain.errors import InputError
from klik.domain.free_text import clean as clean_text
from klik.domain.rights import Right
from klik.domain.texts import search_key, sort_key
from klik.domain.working_days import working_days_before
from klik.plugins.context import ForeignTableError, Klik, PluginContext, PluginStore, StoreClosedError
from klik.plugins.contributions import (
    Channel,
    Choice,
    DeadlineRule,
    Delivery,
    Document,
    ExtraField,
    Filter,
    FilterColumns,
    FilterQuestion,
    FilterValueError,
    Importer,
    ImportRefusedError,
    ImportReport,
    ImportRow,
    ItSystem,
    Job,
    Mark,
    Measure,
    Message,
    NotificationRule,
    PageLink,
    Panel,
    PluginTables,
    TaskTemplate,
    Topic,
)
from klik.plugins.fields import field_filter
from klik.plugins.markers import hookimpl
from klik.plugins.pages import page_access
from klik.plugins.roles import RolesError, read_roles
from klik.plugins.task_types import TaskTypesError, read_task_types
from klik.plugins.views import (
    ChangeView,
    FrontView,
    HolderView,
    MunicipalityView,
    MunicipalTaskView,
    ProgressView,
    PublishedView,
    SystemView,
    TaskView,
)

__all__ = [
    "MONTHS",
    "ChangeView",
    "Channel",
    "Choice",
    "DeadlineRule",
    "Delivery",
    "Document",
    "ExtraField",
    "Filter",
    "FilterColumns",
    "FilterQuestion",
    "FilterValueError",
    "ForeignTableError",
    "FrontView",
    "HolderView",
    "Holders",
    "ImportRefusedError",
    "ImportReport",
    "ImportRow",
    "Importer",
    "InputError",
    "ItSystem",
    "Job",
    "Klik",
    "Mark",
    "Measure",
    "Message",
    "MunicipalTaskView",
    "MunicipalityView",
    "NotificationRule",
    "PageLink",
    "Panel",
    "PluginContext",
    "PluginStore",
    "PluginTables",
    "ProgressView",
    "PublishedView",
    "Right",
    "RoleDescription",
    "RoleScope",
    "RolesError",
    "StoreClosedError",
    "SystemView",
    "TaskTemplate",
    "TaskTypesError",
    "TaskView",
    "Topic",
    "clean_text",
    "clock",
    "days",
    "field_filter",
    "find_cpr_numbers",
    "hookimpl",
    "in_denmark",
    "long_date",
    "page_access",
    "parse_date",
    "read_roles",
    "read_task_types",
    "search_key",
    "sort_key",
    "working_days_before",
]
