"""A switch: pressed once or often, from wherever, it stops what waits and what comes later."""

import socket
import threading
import time

import pytest
from maskwright_client.cancel import CancelSwitch
from maskwright_client.errors import Cancelled


def test_a_fresh_switch_stops_nothing():
    switch = CancelSwitch()
    switch.check()
    switch.pause(0.001)
    assert not switch.cancelled


def test_a_pressed_switch_stops_everything():
    switch = CancelSwitch()
    switch.cancel()
    switch.cancel()
    assert switch.cancelled
    with pytest.raises(Cancelled):
        switch.check()
    with pytest.raises(Cancelled):
        switch.pause(60)
    one, other = socket.socketpair()
    with one, other, pytest.raises(Cancelled):
        switch.attach(one)


def test_a_socket_that_is_waited_on_wakes_up():
    switch = CancelSwitch()
    one, other = socket.socketpair()
    with one, other:
        one.settimeout(10)
        switch.attach(one)
        presser = threading.Thread(target=switch.cancel)
        presser.start()
        assert one.recv(1) == b""
        presser.join()
        with pytest.raises(OSError, match="pipe"):
            one.sendall(b"x")


def test_a_socket_that_was_detached_is_left_alone():
    switch = CancelSwitch()
    one, other = socket.socketpair()
    with one, other:
        switch.attach(one)
        switch.detach(one)
        switch.detach(one)
        switch.cancel()
        one.sendall(b"x")
        assert other.recv(1) == b"x"


def test_a_socket_that_was_closed_harms_nobody():
    switch = CancelSwitch()
    one, other = socket.socketpair()
    switch.attach(one)
    switch.attach(other)
    one.close()
    switch.cancel()
    with other:
        assert other.recv(1) == b""


def test_a_pause_ends_when_the_switch_is_pressed():
    switch = CancelSwitch()
    threading.Timer(0.005, switch.cancel).start()
    start = time.monotonic()
    with pytest.raises(Cancelled):
        switch.pause(60)
    assert time.monotonic() - start < 5
