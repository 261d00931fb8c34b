"""A screen for an editor: an X server with a window manager, keys, clicks and pictures."""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from host_root import HostFailed, Running
from host_stay import Stay

SIZE = (1600, 1000)
_PATIENCE_S = 30.0
_LOOK_AGAIN_S = 0.4
_INSET = 8  # pixels; a window's frame may be black


@dataclass(frozen=True)
class Display:
    """A screen that belongs to one stay; made by `display_in`."""

    stay: Stay
    number: int
    size: tuple[int, int]

    @property
    def environ(self) -> Mapping[str, str]:
        """What a program needs to show itself here, and to leave the absent screen reader alone."""
        return {"DISPLAY": f":{self.number}", "NO_AT_BRIDGE": "1"}

    def xdotool(self, *arguments: str) -> str:
        """Type, click or look for windows; what xdotool says of it. HostFailed if it fails."""
        done = self.stay.run("xdotool", *arguments, env=self.environ)
        if done.returncode:
            raise HostFailed(f"xdotool {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout.decode()

    def key(self, *keys: str) -> None:
        """Press keys one after the other, for whatever has the focus: `ctrl+z`, `Return`."""
        self.xdotool("key", "--clearmodifiers", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self.xdotool("type", "--delay", "20", text)

    def click(self, x: int, y: int, button: int = 1) -> None:
        """Press a mouse button at a place on the screen."""
        self.xdotool("mousemove", "--sync", str(x), str(y), "click", str(button))

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Move the mouse from one place on the screen to another with its first button down."""
        places = [("mousemove", "--sync", str(x), str(y)) for x, y in (start, end)]
        self.xdotool(*places[0], "mousedown", "1", *places[1], "mouseup", "1")

    def windows(self, title: str) -> list[int]:
        """The visible windows whose title matches a regular expression."""
        search = ["xdotool", "search", "--onlyvisible", "--name", title]
        return [int(word) for word in self.stay.run(*search, env=self.environ).stdout.split()]

    def wait_for_window(self, title: str, program: Running, patience_s: float = _PATIENCE_S) -> int:
        """The window with such a title, as soon as there is one; HostFailed if there is none."""
        program.wait_until(lambda: self.windows(title), patience_s)
        return self.windows(title)[0]

    def focus(self, window: int) -> None:
        """Bring a window to the front, where it gets the keys."""
        self.xdotool("windowactivate", "--sync", str(window))

    def fill(self, window: int) -> None:
        """Make a window as large as the screen, and wait until it is drawn; it gets the keys."""
        self.focus(window)
        wanted = "add,maximized_vert,maximized_horz"
        self.stay.run("wmctrl", "-i", "-r", str(window), "-b", wanted, env=self.environ)
        # A busy editor draws late: until then the lower right corner is as black as the screen.
        corner = -3 * (_INSET * self.size[0] + _INSET)
        self._wait(lambda: any(self._seen("rgb")[corner:][:3]), "the window was never drawn")
        self.wait_until_still()

    def wait_until_still(self, patience_s: float = _PATIENCE_S) -> None:
        """Wait until what is seen stays the same for a while; HostFailed if it never does."""
        looks: deque[bytes] = deque(maxlen=3)

        def is_still() -> bool:
            looks.append(self._seen("rgb"))
            return looks.count(looks[0]) == looks.maxlen

        self._wait(is_still, "the screen never came to rest", patience_s)

    def screenshot(self, path: Path) -> None:
        """Write what is seen to a PNG file outside."""
        path.write_bytes(self._seen("png"))

    def _wait(
        self, condition: Callable[[], bool], trouble: str, patience_s: float = _PATIENCE_S
    ) -> None:
        give_up_at = time.monotonic() + patience_s
        while not condition():
            if time.monotonic() > give_up_at:
                raise HostFailed(trouble)
            time.sleep(_LOOK_AGAIN_S)

    def _seen(self, form: str) -> bytes:
        shoot = ["import", "-window", "root", "-depth", "8", f"{form}:-"]
        done = self.stay.run(*shoot, env=self.environ)
        if done.returncode:
            raise HostFailed(f"no screenshot: {done.stderr.decode()}")
        return done.stdout


@contextlib.contextmanager
def display_in(stay: Stay, size: tuple[int, int] = SIZE) -> Iterator[Display]:
    """A screen until the end of the block."""
    screen = f"{size[0]}x{size[1]}x24"
    server = ("Xvfb", "-displayfd", "1", "-screen", "0", screen, "-nolisten", "tcp", "-noreset")
    with stay.start(*server, name="display") as running:
        running.wait_until(lambda: _number(running), _PATIENCE_S)
        display = Display(stay, int(_number(running)), size)
        with stay.start("openbox", name="window-manager", env=display.environ):
            yield display


def _number(server: Running) -> str:
    """The display number, which it says among its warnings once it can be used."""
    return next((line for line in server.said.splitlines() if line.isdecimal()), "")
