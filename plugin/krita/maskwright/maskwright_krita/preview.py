"""The live preview: the layer with its mask as the settings make it, on a ground of choice."""

from __future__ import annotations

import threading
from typing import Any

from maskwright_client.errors import Cancelled, ClientError
from maskwright_client.protocol import MatteEvent, preview_size
from maskwright_editor import picture
from maskwright_editor.picture import Frame
from maskwright_editor.previewing import Previewer, View
from maskwright_editor.previewing import Seen as SeenView
from maskwright_editor.sentences import problem, state_sentence
from maskwright_editor.texts import _
from maskwright_editor.wish import Wish
from maskwright_krita.guard import Tell, guarded
from maskwright_krita.mail import Mail
from maskwright_krita.qt import QtCore, QtGui, QtWidgets
from maskwright_krita.running import Seen

LONGEST = 1024
"""The longest side of the picture that a preview of the whole layer is made of."""

_CHECK = 8
_LOWEST = 80
_GREYS = (0x99, 0x66)
_PLAIN = {"white": (255, 255, 255), "black": (0, 0, 0), "red": (208, 32, 32)}
_DARK = QtGui.QColor(0, 0, 0, 153)


class Preview(QtWidgets.QWidget):  # type: ignore[misc]
    """Shows one layer; it asks the engine for what is to be seen, in a thread of its own."""

    def __init__(self, mail: Mail, tell: Tell) -> None:
        super().__init__()
        self._mail = mail
        self._tell = tell
        self._seen: Seen | None = None
        self._wish = Wish()
        self._previewer: Previewer | None = None
        self._shown: SeenView | None = None
        self._image: Any = None
        self._centre = (0.5, 0.5)
        self._grabbed: Any = None
        self.ground = "checker"
        self.is_close = False
        self.setMinimumSize(_LOWEST, _LOWEST)
        self.setAccessibleName(_("Preview"))

    @property
    def seen(self) -> Seen | None:
        """The layer that is shown, with its matte."""
        return self._seen

    def look_at(self, seen: Seen, wish: Wish) -> None:
        """Show a layer whose matte the engine has."""
        if self._seen is None or not _same(self._seen, seen):
            self.clear()
            self._previewer = Previewer(seen.matte, self._hear, seen.before.existing)
        self._seen = seen
        self.refresh(wish)

    def refresh(self, wish: Wish) -> None:
        """Show what a wish makes of it; the network does not run for that."""
        self._wish = wish
        if self._seen is None or self._previewer is None:
            return
        pixels, box = self._seen.matte.pixels, self._box()
        frame = None
        if self.is_close:
            frame = picture.framed(pixels.width, pixels.height, box, self._centre)
        longest = min(LONGEST, picture.longest_side(pixels.width, pixels.height, box))
        self._previewer.show(View(wish, longest, frame))

    def redraw(self) -> None:
        """The ground has changed."""
        self._image = self._drawn()
        self.update()

    def clear(self) -> None:
        """Show nothing, and let go of the layer's pixels."""
        self.close_down()
        self.update()

    def close_down(self) -> None:
        """End the work behind it; the widget may be gone."""
        if self._previewer is not None:
            # It waits for the engine, and this thread must not.
            threading.Thread(target=self._previewer.stop, daemon=True).start()
        self._previewer = self._seen = self._shown = self._image = None

    def resizeEvent(self, event: Any) -> None:
        """Qt calls this when there is more or less room."""
        guarded(lambda: self.refresh(self._wish), self._tell)()

    def paintEvent(self, event: Any) -> None:
        """Qt calls this."""
        guarded(self._paint, lambda sentence: None)()

    def mousePressEvent(self, event: Any) -> None:
        """Qt calls this."""
        self._grabbed = event.pos()

    def mouseMoveEvent(self, event: Any) -> None:
        """Qt calls this while a button is held."""
        guarded(self._pan, self._tell)(event.pos())

    def mouseReleaseEvent(self, event: Any) -> None:
        """Qt calls this."""
        self._grabbed = None

    def _pan(self, at: Any) -> None:
        if self._grabbed is None or self._seen is None or not self.is_close:
            return
        pixels, ratio = self._seen.matte.pixels, self.devicePixelRatioF()
        across = (at.x() - self._grabbed.x()) * ratio / pixels.width
        down = (at.y() - self._grabbed.y()) * ratio / pixels.height
        self._grabbed = at
        x, y = self._centre
        self._centre = (min(max(x - across, 0.0), 1.0), min(max(y - down, 0.0), 1.0))
        self.refresh(self._wish)

    def _box(self) -> tuple[int, int]:
        """How many pixels of the screen there are."""
        ratio = self.devicePixelRatioF()
        return max(1, int(self.width() * ratio)), max(1, int(self.height() * ratio))

    def _hear(self, news: MatteEvent | SeenView | ClientError) -> None:
        """In the preview's thread."""
        matte = self._seen.matte if self._seen is not None else None
        self._mail.post(guarded(lambda: self._show(news, matte), self._tell))

    def _show(self, news: MatteEvent | SeenView | ClientError, matte: Any) -> None:
        if self._seen is None or self._seen.matte is not matte:
            return  # of a layer that is not shown any more
        if isinstance(news, SeenView):
            self._shown = news
            self.redraw()
        elif isinstance(news, MatteEvent):
            if sentence := state_sentence(news):
                self._tell(sentence)
        elif not isinstance(news, Cancelled):
            self._tell(problem(news))

    def _drawn(self) -> Any:
        """The picture for the screen."""
        seen, shown = self._seen, self._shown
        if seen is None or shown is None:
            return None
        colours = _colours(seen, shown.view)
        if colours is None:
            return None
        size = colours.size()
        cut_out = colours.convertToFormat(QtGui.QImage.Format.Format_ARGB32_Premultiplied)
        mask = _mask(shown.alpha, size)
        painter = QtGui.QPainter(cut_out)
        painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_DestinationIn)
        painter.drawImage(0, 0, mask)
        painter.end()
        ground = QtGui.QImage(size, QtGui.QImage.Format.Format_RGB32)
        painter = QtGui.QPainter(ground)
        painter.fillRect(ground.rect(), _brush(self.ground))
        if self.ground == "dimmed":
            painter.drawImage(0, 0, colours)
            painter.fillRect(ground.rect(), _DARK)
        painter.drawImage(0, 0, cut_out)
        painter.end()
        return ground

    def _paint(self) -> None:
        painter = QtGui.QPainter(self)
        palette = self.palette()
        painter.fillRect(self.rect(), palette.brush(QtGui.QPalette.ColorRole.Base))
        if self._image is None:
            flags = QtCore.Qt.AlignmentFlag.AlignCenter | QtCore.Qt.TextFlag.TextWordWrap
            painter.setPen(palette.color(QtGui.QPalette.ColorRole.Text))
            room = self.rect().adjusted(8, 8, -8, -8)
            painter.drawText(
                room, int(flags), _("Here the subject is shown without its background.")
            )
        else:
            ratio = self.devicePixelRatioF()
            wide, high = self._image.width() / ratio, self._image.height() / ratio
            left, top = (self.width() - wide) / 2, (self.height() - high) / 2
            painter.drawImage(QtCore.QRectF(left, top, wide, high), self._image)
        painter.end()


def _same(one: Seen, other: Seen) -> bool:
    """Whether both are of one matte, which meets one mask."""
    return one.matte is other.matte and one.before.existing == other.before.existing


def ground_labels() -> dict[str, str]:
    """What a preview can lie on."""
    return {
        "checker": _("On a checkerboard"),
        "white": _("On white"),
        "black": _("On black"),
        "red": _("On red"),
        "dimmed": _("Over the dimmed original"),
    }


def _colours(seen: Seen, view: View) -> Any:
    """The layer's colours at the size of a view, as a QImage."""
    pixels = seen.matte.pixels
    if view.frame is not None:
        return _cut(seen, view.frame)
    if seen.small is None:
        return None
    size = preview_size(pixels.width, pixels.height, view.longest)
    ways = (
        QtCore.Qt.AspectRatioMode.IgnoreAspectRatio,
        QtCore.Qt.TransformationMode.SmoothTransformation,
    )
    return seen.small.scaled(*size, *ways)


def _cut(seen: Seen, frame: Frame) -> Any:
    pixels = seen.matte.pixels
    samples = picture.cut(pixels.samples, pixels.width, pixels.channels, frame)
    form = QtGui.QImage.Format
    kind = form.Format_RGB888 if pixels.channels == 3 else form.Format_RGBA8888
    row = frame.width * pixels.channels
    # The copy: a QImage of bytes only borrows them.
    return QtGui.QImage(samples, frame.width, frame.height, row, kind).copy()


def _mask(alpha: bytes, size: Any) -> Any:
    wide, high = size.width(), size.height()
    return QtGui.QImage(alpha, wide, high, wide, QtGui.QImage.Format.Format_Alpha8).copy()


def _brush(ground: str) -> Any:
    if ground != "checker":
        return QtGui.QBrush(QtGui.QColor(*_PLAIN.get(ground, (0, 0, 0))))
    tile = QtGui.QPixmap(2 * _CHECK, 2 * _CHECK)
    light, dark = (QtGui.QColor(grey, grey, grey) for grey in _GREYS)
    tile.fill(light)
    painter = QtGui.QPainter(tile)
    painter.fillRect(0, 0, _CHECK, _CHECK, dark)
    painter.fillRect(_CHECK, _CHECK, _CHECK, _CHECK, dark)
    painter.end()
    return QtGui.QBrush(tile)
