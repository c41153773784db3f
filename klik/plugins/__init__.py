"""The interface for plug-ins: everything a plug-in may import of klik, and nothing else stays put.

A plug-in is a module named by an entry point in the group ``klik.plugins``. It says ``KLIK_API = (1, 0)`` and
implements hooks (docs/hooks.md) with ``hookimpl``.
"""

from klik.content.roles import Holders, RoleDescription, RoleScope
from klik.domain.calendar import clock, days, in_denmark, long_date
from klik.domain.cpr import find as find_cpr_numbers
from klik.domain.rights import Right
from klik.domain.texts import search_key, sort_key
from klik.plugins.context import ForeignTableError, PluginContext, PluginStore, StoreClosedError
from klik.plugins.contributions import (
    Channel,
    Choice,
    DeadlineRule,
    Delivery,
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
    Message,
    NotificationRule,
    Panel,
    PluginTables,
    TaskTemplate,
)
from klik.plugins.fields import field_filter
from klik.plugins.markers import hookimpl
from klik.plugins.pages import page_access
from klik.plugins.roles import RolesError, read_roles
from klik.plugins.task_types import TaskTypesError, read_task_types
from klik.plugins.views import (
    ChangeView,
    MunicipalityView,
    MunicipalTaskView,
    PublishedView,
    SystemView,
    TaskView,
)

__all__ = [
    "ChangeView",
    "Channel",
    "Choice",
    "DeadlineRule",
    "Delivery",
    "ExtraField",
    "Filter",
    "FilterColumns",
    "FilterQuestion",
    "FilterValueError",
    "ForeignTableError",
    "Holders",
    "ImportRefusedError",
    "ImportReport",
    "ImportRow",
    "Importer",
    "ItSystem",
    "Message",
    "MunicipalTaskView",
    "MunicipalityView",
    "NotificationRule",
    "Panel",
    "PluginContext",
    "PluginStore",
    "PluginTables",
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
    "clock",
    "days",
    "field_filter",
    "find_cpr_numbers",
    "hookimpl",
    "in_denmark",
    "long_date",
    "page_access",
    "read_roles",
    "read_task_types",
    "search_key",
    "sort_key",
]
