"""One loaded network; `models.sessions` keeps them."""

import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from maskwright.cancel import CancelToken
from maskwright.errors import ModelError
from maskwright.models.catalogue import ModelSpec
from maskwright.models.contract import Contract
from maskwright.models.hardware import Notice
from maskwright.models.runtime import Device, Runtime
from maskwright.models.tensors import state_tensors, to_prediction, to_tensor


class Session:
    """A model, loaded onto a device; a `models.contract.Network`. Threads may share one.

    `spare` loads the same model onto the processor: it steps in, with a notice, when the device
    fails in the middle of the work. Without it a failure is an error.
    """

    def __init__(
        self,
        spec: ModelSpec,
        runtime: Runtime,
        *,
        notices: tuple[Notice, ...] = (),
        spare: Callable[[ModelError, CancelToken], Runtime] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.spec = spec
        self.notices = notices
        self._spare = spare
        self._clock = clock
        self._lock = threading.Lock()
        self._running = 0
        self._used_at = clock()
        self._runtime = runtime
        _check_names(spec.contract, runtime)

    @property
    def contract(self) -> Contract:
        """What the model wants to see and what its answer means."""
        return self.spec.contract

    @property
    def model_id(self) -> str:
        """The model's id."""
        return self.spec.id

    @property
    def provider(self) -> str:
        """onnxruntime's name of the execution provider that really runs the model."""
        return self._runtime.provider

    @property
    def device(self) -> str:
        """The short name of the device that really runs it: cpu, cuda, openvino-gpu, ..."""
        return self._runtime.device.name

    def idle_since(self) -> float | None:
        """When it was last used, by the clock; None while it runs."""
        with self._lock:
            return None if self._running else self._used_at

    def predict(self, pixels: NDArray[np.uint8], cancel: CancelToken) -> NDArray[np.float32]:
        """Run once; see `models.contract.Network`. Also raises ModelError `run-failed`."""
        with self._lock:
            self._running += 1
        try:
            return self._predict(pixels, cancel)
        finally:
            with self._lock:
                self._running -= 1
                self._used_at = self._clock()

    def _predict(self, pixels: NDArray[np.uint8], cancel: CancelToken) -> NDArray[np.float32]:
        runtime = self._runtime
        try:
            return _predict(runtime, self.contract, pixels, cancel)
        except ModelError as error:
            instead = self._step_in(runtime, error, cancel)
            if instead is runtime:
                raise
            return _predict(instead, self.contract, pixels, cancel)

    def _step_in(self, failed: Runtime, error: ModelError, cancel: CancelToken) -> Runtime:
        """Replace the runtime that failed, unless another thread has done so meanwhile."""
        with self._lock:
            if self._runtime is failed and self._spare is not None:
                self._runtime = self._spare(error, cancel)
                self._spare = None
                self.notices = (*self.notices, fell_back(failed.device, error))
            return self._runtime


def _predict(
    runtime: Runtime, contract: Contract, pixels: NDArray[np.uint8], cancel: CancelToken
) -> NDArray[np.float32]:
    height, width, _ = pixels.shape
    image, output = _image_name(contract, runtime), contract.output_name or runtime.outputs[0]
    feeds: dict[str, NDArray[np.generic]] = {}
    for name, tensor in state_tensors(contract, height, width).items():
        feeds[name] = tensor.astype(runtime.inputs[name].dtype or np.float32, copy=False)
    feeds[image] = to_tensor(pixels, contract, runtime.inputs[image].dtype or np.dtype(np.float32))
    answer = runtime.run(output, feeds, cancel)
    return to_prediction(answer, height, width, contract.output_kind)


def _image_name(contract: Contract, runtime: Runtime) -> str:
    others = {*contract.state_inputs, contract.ratio_input}
    names = [name for name in runtime.inputs if name not in others]
    return contract.input_name or (names[0] if names else "")


def _check_names(contract: Contract, runtime: Runtime) -> None:
    """Raise ModelError `wrong-contract` unless the file has the inputs and the output we name."""
    ratio = [contract.ratio_input] if contract.ratio_input else []
    wanted = {_image_name(contract, runtime), *contract.state_inputs, *ratio}
    typed = all(runtime.inputs[name].dtype is not None for name in wanted & set(runtime.inputs))
    if (
        wanted != set(runtime.inputs)
        or not typed
        or (contract.output_name and contract.output_name not in runtime.outputs)
    ):
        raise ModelError(
            "wrong-contract",
            "The model's inputs or outputs are not what its entry says; remove it and get it "
            "again.",
        )


def fell_back(device: Device, error: ModelError) -> Notice:
    """What to say when the processor does another device's work."""
    return Notice("fell-back", f"The processor was used instead of {device.name}: {error}")
