"""The engine put together: what `maskwright serve` runs."""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from maskwright_client.places import Places
from maskwright_client.protocol import PROTOCOL_MAX, PROTOCOL_MIN

from maskwright import __version__
from maskwright.models.access import default_settings_path
from maskwright.models.machine import give_back_memory
from maskwright.models.store import open_store
from maskwright.service.app import Endpoints, Identity, build_app
from maskwright.service.cleaning import Cleaning
from maskwright.service.desk import Desk
from maskwright.service.downloads import Downloads
from maskwright.service.gate import Gate, Traffic
from maskwright.service.instance import Announcement, describe, only_instance, provide_folder
from maskwright.service.log import log_to
from maskwright.service.network_process import NetworkProcess
from maskwright.service.routes import RULES
from maskwright.service.server import LOOPBACK, Server, listen
from maskwright.service.settings import Settings, read_settings

log = logging.getLogger(__name__)

_LOOK_S: Final = 0.5
# A job that has just ended: its client still has to fetch the matte.
_FETCH_S: Final = 0.5
_DRAIN_S: Final = 30.0


def run_engine(
    places: Places,
    environ: Mapping[str, str],
    chosen: Mapping[str, float],
    tell: Callable[[str], None],
) -> None:
    """Serve until idle for long, stopped or killed; `chosen` overrides the user's settings.

    `tell` hears when clients can come.

    Raises instance.AlreadyRunning, ModelError `unsafe-folder`.
    """
    os.umask(0o077)
    provide_folder(places.run)
    with only_instance(places), log_to(places.log):
        settings = replace(read_settings(default_settings_path()), **chosen)
        asyncio.run(_Engine(places, environ, settings).serve(tell))


class _Engine:
    def __init__(self, places: Places, environ: Mapping[str, str], settings: Settings) -> None:
        self._settings = settings
        self._listener = listen()
        port = int(self._listener.getsockname()[1])
        identity = Identity(secrets.token_hex(16), secrets.token_urlsafe(32), port)
        store = open_store(environ)
        self._networks = NetworkProcess(store)
        self._desk = Desk(store, self._networks, settings.limits)
        self._cleaning = Cleaning(settings.limits)
        self._downloads = Downloads(store)
        self._traffic = Traffic(time.monotonic)
        self._stop_at: float | None = None
        app = build_app(
            Endpoints(
                identity,
                store,
                self._networks,
                self._desk,
                self._cleaning,
                self._downloads,
                self.stop,
            )
        )
        gate = Gate(app, port=port, token=identity.token, rules=RULES, traffic=self._traffic)
        self._server = Server(gate, self.stop)
        self._announcement = Announcement(
            places,
            describe(
                version=__version__,
                url=f"http://{LOOPBACK}:{port}",
                token=identity.token,
                instance_id=identity.instance_id,
                protocol=(PROTOCOL_MIN, PROTOCOL_MAX),
            ),
        )

    async def serve(self, tell: Callable[[str], None]) -> None:
        """Tell clients, answer them, clean up."""
        tasks = [asyncio.create_task(self._desk.run()), asyncio.create_task(self._keep())]
        starting = asyncio.create_task(asyncio.to_thread(self._networks.start))
        self._announcement.publish()
        tell("The engine is running; Ctrl+C stops it.")
        log.info("engine %s started, process %d", __version__, os.getpid())
        try:
            await self._server.serve(sockets=[self._listener])
        finally:
            self._announcement.withdraw()
            self._abandon()
            self._networks.kill()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, starting, return_exceptions=True)
            await asyncio.to_thread(self._networks.stop)
            log.info("engine ended")

    def stop(self) -> None:
        """Take no more work, finish what runs, then end; a second time, end now."""
        if self._stop_at is not None:
            self._abandon()
            self._server.should_exit = True
            return
        log.info("engine stops")
        self._announcement.withdraw()
        self._desk.stop()
        self._cleaning.stop()
        self._downloads.cancel()
        self._stop_at = time.monotonic() + _DRAIN_S

    def _abandon(self) -> None:
        self._desk.abandon()
        self._cleaning.abandon()

    async def _keep(self) -> None:
        """Look around twice a second: whether to free memory, whether to end."""
        tidy = True
        while True:
            await asyncio.sleep(_LOOK_S)
            now = time.monotonic()
            if self._stop_at is not None:
                self._server.should_exit |= self._is_drained(now) or now > self._stop_at
                continue
            self._announcement.renew()
            if self._desk.active or self._downloads.active or self._traffic.inside:
                tidy = False
                continue
            if not tidy:
                give_back_memory()  # what jobs have freed, and the C library keeps for more
                tidy = True
            idle_s = now - self._traffic.last_at
            freed = await asyncio.to_thread(
                self._networks.stop_if_idle, 60 * self._settings.unload_minutes
            )
            if freed:
                log.info("models left memory: %s", ", ".join(freed))
            if idle_s >= 60 * self._settings.stop_minutes:
                log.info("nobody needed the engine for %.0f s", idle_s)
                self.stop()

    def _is_drained(self, now: float) -> bool:
        busy = self._desk.active or self._downloads.active or self._traffic.inside
        return not busy and now - self._traffic.last_at >= _FETCH_S
