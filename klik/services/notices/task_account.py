"""The account on a task's page: occasion by occasion, who was told and how far it came; and what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from klik.domain.calendar import clock, in_denmark, long_date
from klik.domain.status import OPEN_STATUSES, Status
from klik.models import MunicipalTask, Notice
