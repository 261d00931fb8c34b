"""How Krita is told of the docker and its action."""

from __future__ import annotations

from typing import Any

from krita import DockWidgetFactory, DockWidgetFactoryBase, Extension, Krita, Window
from maskwright_editor import texts
from maskwright_editor.texts import _
from maskwright_krita import host
from maskwright_krita.docker import ID, Docker
from maskwright_krita.guard import guarded
from maskwright_krita.languages import catalogue_names
from maskwright_krita.qt import QtCore

ACTION = "maskwright_remove_background"

_SHOWN = "shown-once"


class Maskwright(Extension):
    """Krita calls `setup` once, and `createActions` for every window."""

    def setup(self) -> None:
        """Open the docker by itself the first time that there is a picture."""
        notifier = Krita.instance().notifier()
        notifier.setActive(True)
        notifier.windowCreated.connect(guarded(lambda *_: _soon(_translate), _silent))
        if not host.setting(_SHOWN):
            notifier.viewCreated.connect(guarded(lambda *_: _soon(_show_once), _silent))

    def createActions(self, window: Window) -> None:
        """Put the action into Tools > Scripts."""
        action = window.createAction(ACTION, _("Remove Background"), "tools/scripts")
        action.triggered.connect(guarded(lambda *_: _act(), _silent))


def register() -> None:
    """Krita has imported the plug-in."""
    texts.speak(catalogue_names(QtCore.QLocale().uiLanguages()))
    application = Krita.instance()
    right = DockWidgetFactoryBase.DockPosition.DockRight
    application.addDockWidgetFactory(DockWidgetFactory(ID, right, Docker))
    application.addExtension(Maskwright(application))


def _act() -> None:
    """Show the docker; when it is there already, do what its button does."""
    docker = _docker()
    if docker is None:
        return
    if docker.isVisible():
        docker.desk.press()
    else:
        docker.show_up()


def _translate() -> None:
    """Say what stands in the action's file in the user's language; Krita has it in English there.

    It reads the file at some time after the action was made, and adds the shortcut to the tool tip.
    """
    action = Krita.instance().action(ACTION)
    if action is None:
        return
    action.setToolTip(action.toolTip().replace("Remove Background", _("Remove Background")))
    action.setIconText(_("Remove Background"))
    action.setWhatsThis(
        _("Shows the Remove Background docker; when it is there, removes the background.")
    )


def _docker() -> Any:
    """The one in the window in front; the window that an action was made for is soon forgotten."""
    window = Krita.instance().activeWindow()
    dockers = window.dockers() if window is not None else []
    return next((one for one in dockers if one.objectName() == ID), None)


def _show_once() -> None:
    if host.setting(_SHOWN):
        return
    docker = _docker()
    if docker is not None:
        docker.show_first()
        host.keep_setting(_SHOWN, "yes")


def _soon(work: Any) -> None:
    QtCore.QTimer.singleShot(0, guarded(work, _silent))


def _silent(sentence: str) -> None:
    """Where there is no docker yet to say it; Krita's terminal has it."""
