"""The settings as a native dialog, with a preview that follows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import gi
from maskwright_client.cancel import CancelSwitch
from maskwright_client.connection import Connection
from maskwright_client.errors import ClientError
from maskwright_client.protocol import CLEAN_COLOURS, MatteEvent
from maskwright_editor import picture
from maskwright_editor.asking import Background
from maskwright_editor.matte import Matte
from maskwright_editor.picture import Frame
from maskwright_editor.pixels import Pixels
from maskwright_editor.previewing import Previewer, Seen, View
from maskwright_editor.record import Existing
from maskwright_editor.sentences import finished_sentence, notes, problem, state_sentence
from maskwright_editor.settings import settings
from maskwright_editor.texts import _
from maskwright_editor.wish import Wish

from maskwright_gimp.arguments import read
from maskwright_gimp.choosing import ModelChooser
from maskwright_gimp.registration import REFINE

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("GimpUi", "3.0")
from gi.repository import Gdk, GdkPixbuf, Gimp, GimpUi, GLib, Gtk  # noqa: E402

_BOX = (520, 420)
_CHECK = 12
_SETTINGS_WIDTH = 420  # below that, sliders are too short to aim with
# One colour twice is a plain ground.
_GROUNDS = {
    "checker": (0x999999, 0x666666),
    "white": (0xFFFFFF, 0xFFFFFF),
    "black": (0x000000, 0x000000),
    "red": (0xD02020, 0xD02020),
}
_DIMMED = "dimmed"
_OPAQUE = bytes([255])
_NOTES_CHARS = 60
# The model has a list of its own, and locked layers are asked about before.
_NOT_IN_THE_LIST = ("model", "locked")


def ask(
    procedure: Gimp.Procedure,
    config: Gimp.ProcedureConfig,
    connection: Connection,
    matte: Matte,
    existing: Existing | None,
) -> bool:
    """Let the designer choose; False if they changed their mind.

    After a yes the matte may still be in the making: whoever asks it for an alpha waits for it.
    """
    GimpUi.init("maskwright")
    title = procedure.get_menu_label().replace("_", "")
    dialog = GimpUi.ProcedureDialog.new(procedure, config, title)
    for setting in settings():
        if isinstance(setting.default, float):
            dialog.get_scale_entry(setting.name, 1.0)
    names = [setting.name for setting in settings() if setting.name not in _NOT_IN_THE_LIST]
    box = dialog.fill_box("settings", names)
    box.set_size_request(_SETTINGS_WIDTH, -1)
    refining = procedure.get_name() == REFINE
    preview = Preview(connection, matte, existing, lambda: read(config), refining=refining)

    def choose(model: str | None) -> None:
        dialog.set_response_sensitive(Gtk.ResponseType.OK, model is not None)
        if model is not None and model != config.get_property("model"):
            config.set_property("model", model)

    models = ModelChooser(connection, config.get_property("model"), choose, preview.tell)
    config.connect("notify::model", lambda *_ignored: models.show(config.get_property("model")))
    box.pack_start(models.widget, False, False, 0)
    box.reorder_child(models.widget, 0)
    # Side by side: both below each other are higher than many screens.
    both = Gtk.Box(spacing=12, border_width=12)
    both.pack_start(preview.widget, True, True, 0)
    both.pack_start(box, False, False, 0)
    dialog.get_content_area().pack_start(both, True, True, 0)
    both.show_all()
    _offer(dialog, connection, "clean-colours", CLEAN_COLOURS)
    config.connect("notify", lambda *_ignored: preview.refresh())
    preview.refresh()
    wanted = bool(dialog.run())
    models.close()
    preview.close(finish=wanted)
    dialog.destroy()
    return wanted


def _offer(
    dialog: GimpUi.ProcedureDialog, connection: Connection, setting: str, feature: str
) -> None:
    """Let a setting be chosen as soon as an engine is there that can do it."""
    dialog.set_sensitive(setting, False, None, None, False)

    def look() -> None:
        if connection.engine(lambda waited: None, CancelSwitch()).can(feature):
            GLib.idle_add(dialog.set_sensitive, setting, True, None, None, False)

    Background().run(look, lambda error: None)  # the preview says what is wrong with the engine


def allows_locked(names: Sequence[str]) -> bool:
    """Ask whether layers with these names get a mask although their content is locked."""
    GimpUi.init("maskwright")
    question = Gtk.MessageDialog(
        message_type=Gtk.MessageType.QUESTION,
        buttons=Gtk.ButtonsType.OK_CANCEL,
        text=_("Locked: {layers}. Put a mask on it all the same?").format(layers=", ".join(names)),
    )
    question.format_secondary_text(_("A mask leaves the layer's pixels as they are."))
    question.set_title(_("Remove Background"))
    question.set_default_response(Gtk.ResponseType.OK)
    answer = question.run()
    question.destroy()
    return bool(answer == Gtk.ResponseType.OK)


class Preview:
    """The picture, what it lies on, how close it is looked at, and a line on how things stand."""

    def __init__(
        self,
        connection: Connection,
        matte: Matte,
        existing: Existing | None,
        wish: Callable[[], Wish],
        *,
        refining: bool,
    ) -> None:
        self._refining = refining
        self._connection = connection
        self._pixels = matte.pixels
        self._wish = wish
        self._centre = (0.5, 0.5)
        self._grabbed: tuple[float, float] | None = None
        self._seen: Seen | None = None
        self._small: dict[tuple[int, int], bytes] = {}
        self._image = Gtk.Image()
        self._line = Gtk.Label(label=_("Starting the engine"), xalign=0.0, wrap=True)
        self._notes = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=_NOTES_CHARS)
        self._background = Background()
        self._ground = Gtk.ComboBoxText()
        for name, label in _ground_labels().items():
            self._ground.append(name, label)
        self._ground.set_active_id("checker")
        self._ground.connect("changed", lambda widget: self._draw())
        self._close = Gtk.CheckButton.new_with_mnemonic(_("Pixel for pi_xel"))
        self._close.connect("toggled", lambda widget: self.refresh())
        self.widget = self._laid_out()
        self._draw()  # the photo, until there is something to see
        self._previewer = Previewer(matte, lambda news: GLib.idle_add(self._hear, news), existing)

    def refresh(self) -> None:
        """Show what the settings make of it now."""
        width, height = self._pixels.width, self._pixels.height
        frame = None
        if self._close.get_active():
            frame = picture.framed(width, height, _BOX, self._centre)
        longest = picture.longest_side(width, height, _BOX)
        self._previewer.show(View(self._wish(), longest, frame))

    def tell(self, sentence: str) -> None:
        """Say something on the line below the picture."""
        self._line.set_text(sentence)

    def close(self, *, finish: bool) -> None:
        """End it; what the engine does for it goes on if it is to `finish`."""
        if finish:
            self._previewer.leave()
        else:
            self._previewer.stop()
        self._background.stop()

    def _laid_out(self) -> Gtk.Widget:
        events = Gtk.EventBox()
        events.add(self._image)
        events.set_size_request(*_BOX)
        events.add_events(Gdk.EventMask.POINTER_MOTION_MASK | Gdk.EventMask.BUTTON_PRESS_MASK)
        events.connect("button-press-event", self._grab)
        events.connect("motion-notify-event", self._pan)
        frame = Gtk.Frame()
        frame.add(events)
        bar = Gtk.Box(spacing=6)
        bar.pack_start(self._close, False, False, 0)
        bar.pack_end(self._ground, False, False, 0)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        box.pack_start(frame, True, True, 0)
        box.pack_start(bar, False, False, 0)
        stop = Gtk.Button.new_with_label(_("Stop the engine"))
        stop.set_tooltip_text(_("Frees its memory; it starts again when it is needed"))
        stop.connect("clicked", lambda widget: self._background.run(self._stop, self._failed))
        foot = Gtk.Box(spacing=6)
        foot.pack_start(self._line, True, True, 0)
        foot.pack_end(stop, False, False, 0)
        box.pack_start(foot, False, False, 0)
        box.pack_start(self._notes, False, False, 0)
        return box

    def _stop(self) -> None:
        """In the background."""
        self._connection.stop(CancelSwitch())
        GLib.idle_add(self.tell, _("The engine has stopped; it starts again when it is needed."))

    def _failed(self, error: ClientError) -> None:
        """In the background."""
        GLib.idle_add(self.tell, problem(error))

    def _hear(self, news: MatteEvent | Seen | ClientError) -> bool:
        if isinstance(news, ClientError):
            self.tell(problem(news))
        elif isinstance(news, Seen):
            self._seen = news
            self.tell(finished_sentence(news.info))
            self._notes.set_text(notes(news.info, refining=self._refining))
            self._draw()
        else:
            self.tell(state_sentence(news))
        return False

    def _draw(self) -> None:
        ground = self._ground.get_active_id()
        width, height, colours = self._colours(self._seen.view.frame if self._seen else None)
        alpha = self._seen.alpha if self._seen else _OPAQUE * (width * height)
        rgba = picture.with_alpha(colours, self._pixels.channels, alpha)
        cut_out = _pixbuf(rgba, width, height, alpha=True)
        if ground == _DIMMED:
            under = _pixbuf(picture.dimmed(rgba), width, height, alpha=False).copy()
            cut_out.composite(
                under, 0, 0, width, height, 0, 0, 1, 1, GdkPixbuf.InterpType.NEAREST, 255
            )
            self._image.set_from_pixbuf(under)
            return
        first, second = _GROUNDS[ground]
        self._image.set_from_pixbuf(
            cut_out.composite_color_simple(
                width, height, GdkPixbuf.InterpType.NEAREST, 255, _CHECK, first, second
            )
        )

    def _colours(self, frame: Frame | None) -> tuple[int, int, bytes]:
        pixels = self._pixels
        if frame is not None:
            cut = picture.cut(pixels.samples, pixels.width, pixels.channels, frame)
            return frame.width, frame.height, cut
        size = picture.fitted(pixels.width, pixels.height, _BOX)
        if size not in self._small:
            self._small[size] = _shrunk(pixels, size)
        return (*size, self._small[size])

    def _grab(self, widget: Gtk.Widget, event: Gdk.EventButton) -> None:
        self._grabbed = (event.x, event.y)

    def _pan(self, widget: Gtk.Widget, event: Gdk.EventMotion) -> None:
        if not event.state & Gdk.ModifierType.BUTTON1_MASK or self._grabbed is None:
            return
        across = (event.x - self._grabbed[0]) / self._pixels.width
        down = (event.y - self._grabbed[1]) / self._pixels.height
        self._grabbed = (event.x, event.y)
        x, y = self._centre
        self._centre = (min(max(x - across, 0.0), 1.0), min(max(y - down, 0.0), 1.0))
        self.refresh()


def _ground_labels() -> dict[str, str]:
    return {
        "checker": _("On a checkerboard"),
        "white": _("On white"),
        "black": _("On black"),
        "red": _("On red"),
        _DIMMED: _("Over the dimmed original"),
    }


def _pixbuf(samples: bytes, width: int, height: int, *, alpha: bool) -> GdkPixbuf.Pixbuf:
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(samples),
        GdkPixbuf.Colorspace.RGB,
        alpha,
        8,
        width,
        height,
        width * (4 if alpha else 3),
    )


def _shrunk(pixels: Pixels, size: tuple[int, int]) -> bytes:
    """All of a layer's colours in a smaller size; a copy of all of it is never in memory."""
    parts = []
    for wanted, rows in picture.strips(pixels.height, size[1]):
        frame = Frame(0, rows.start, pixels.width, len(rows))
        samples = picture.cut(pixels.samples, pixels.width, pixels.channels, frame)
        part = _pixbuf(samples, pixels.width, len(rows), alpha=pixels.channels == 4)
        small = part.scale_simple(size[0], wanted, GdkPixbuf.InterpType.BILINEAR)
        parts.append(_samples(small, pixels.channels))
    return b"".join(parts)


def _samples(pixbuf: GdkPixbuf.Pixbuf, channels: int) -> bytes:
    """A pixbuf's samples without the padding of its rows."""
    width, height, stride = pixbuf.get_width(), pixbuf.get_height(), pixbuf.get_rowstride()
    whole = pixbuf.read_pixel_bytes().get_data()
    return b"".join(whole[y * stride : y * stride + width * channels] for y in range(height))
