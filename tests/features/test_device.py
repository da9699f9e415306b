"""Whether the device has bfloat16 products, and the warning if it has none."""

import jax
import pytest

from nst import features
from nst.features import device


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_bf16\n", True),
        ("flags\t\t: fpu avx2 avx512f\n", False),
        ("Features\t: fp asimd bf16\n", True),
        ("Features\t: fp asimd\n", False),
        ("processor\t: 0\n", True),
    ],
)
def test_bfloat16_of_a_processor(tmp_path, monkeypatch, text, expected):
    monkeypatch.setattr(device, "_CPUINFO", tmp_path / "cpuinfo")
    assert device._processor_has_bfloat16()  # no such file
    (tmp_path / "cpuinfo").write_text(text)
    assert device._processor_has_bfloat16() == expected


@pytest.mark.parametrize(
    ("capability", "expected"), [("7.5", False), ("8.0", True), ("12.0", True), (None, True)]
)
def test_bfloat16_of_an_accelerator(monkeypatch, capability, expected):
    class Device:
        platform = "gpu"

    if capability:
        Device.compute_capability = capability
    monkeypatch.setattr(jax, "devices", lambda: [Device()])
    assert device.has_bfloat16() == expected


def test_slow_bfloat16_warns(monkeypatch):
    monkeypatch.setattr(features, "has_bfloat16", lambda: False)
    with pytest.warns(UserWarning, match="precision=float32 is faster"):
        features.load(weights="random", precision="bfloat16")
