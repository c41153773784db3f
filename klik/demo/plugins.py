"""What each plug-in puts into its own tables when the demo is filled; klik's demo knows none of them by name."""

from __future__ import annotations

from functools import partial

from klik.plugins import manager
from klik.services import for_plugins
from klik.services.work import Work

PATIENCE = 60.0


def fill(work: Work) -> None:
    """Ask every plug-in once, as klik itself and under guard: one that fails leaves its own tables empty."""
    hooks = work.registry.hooks
    for name in hooks.listeners(manager.DEMO):
        context = for_plugins.context(work.as_system(), name)
        work.registry.guard.ask(
            f"{name}.{manager.DEMO}",
            partial(hooks.tell, name, manager.DEMO, context=context),
            None,
            store=context.store,
            patience=PATIENCE,
        )
