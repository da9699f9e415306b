"""torch's two file formats, read without torch; hostile and damaged files are refused without effect."""

import contextlib
import io
import os
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nst.errors import InputError
from nst.features import weights
from nst.features.weights import formats, pickled, port, torch_file
from nst.features.weights.entries import refusing

DATA = Path(__file__).parent / "data"
FILES = ["views.zip.pth", "views.legacy.pth"]
NUMBERS = ["float16", "float64", "int64", "int32", "int16", "int8", "uint8"]
VGG16 = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)  # places of the convolutions
MAGIC = 0x1950A86A20F9469CFC6C
ORDERED_DICT = b"ccollections\nOrderedDict\n"
TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"


def arrays(path):
    with refusing(path):
        return {name: entry.read() for name, entry in formats.entries(path).items()}


def string(text):
    return b"X" + struct.pack("<I", len(text)) + text.encode()


ATTRIBUTES = b"}" + string("hostile") + b"Ns"


def number(value):
    return b"J" + struct.pack("<i", value)


def sequence(*items):
    return b"(" + b"".join(items) + b"t"


def tensor(
    offset,
    shape,
    stride,
    *,
    count=4,
    function=TENSOR,
    kind=b"ctorch\nFloatStorage\n",
):
    """The opcodes that torch writes for a tensor."""
    storage = sequence(string("storage"), kind, string("0"), string("cpu"), number(count)) + b"Q"
    places = [sequence(*map(number, values)) for values in (shape, stride)]
    return function + sequence(storage, number(offset), *places, b"\x89", b"}") + b"R"


def doubled(times):
    """The opcodes of tuples of which each holds the one before twice: a text of them all has 2^times elements."""
    pairs = (b"h%ch%c\x86q%c" % (i, i, i + 1) for i in range(times))
    return sequence(b")q\x00", *pairs)


@contextlib.contextmanager
def little_memory():
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 1 << 26
    finally:
        tracemalloc.stop()


def zipped(path, value, *, count=4, compression=zipfile.ZIP_STORED, byteorder=b"little"):
    """A torch zip of {"a": value} with a storage of 0, 1, 2, … ."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}" + string("a") + value + b"s.")
        archive.writestr("archive/byteorder", byteorder)
        archive.writestr("archive/data/0", np.arange(count, dtype="<f4").tobytes())
    return path


def legacy(path, body, *, magic=MAGIC, protocol=1001, little=True):
    heads = [magic, protocol, {"little_endian": little}]
    path.write_bytes(b"".join(pickle.dumps(head, 2) for head in heads) + body)
    return path


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_view_and_number_is_read_as_torch_meant_it(name):
    actual = arrays(DATA / name)
    numbers = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    expected = {
        "plain": numbers,
        "permuted": numbers.transpose(2, 0, 1),
        "sliced": numbers[1:, ::2, 1:3],
        "expanded": np.full((5, 2), 3.0, np.float32),
        "scalar": np.float32(7),
        "empty": np.zeros((0, 3), np.float32),
        "parameter": np.float32([1.5, -2.5]),
        **{kind: np.array([0, 1, 1], kind) for kind in NUMBERS},
        "bool": np.uint8([0, 1, 1]),
    }
    assert actual.keys() == expected.keys()
    for key, array in expected.items():
        assert actual[key].dtype == array.dtype, key
        np.testing.assert_array_equal(actual[key], array, strict=True)


@pytest.mark.parametrize("name", ["vgg19.zip.pth", "vgg19.legacy.pth"])
def test_what_is_not_asked_for_is_not_read(name):
    entry = formats.entries(DATA / name)["classifier.0.weight"]
    assert entry.shape == (4096, 25088)


def test_hand_made_opcodes_are_what_torch_writes(tmp_path):
    actual = arrays(zipped(tmp_path / "a.pth", tensor(1, [2, 1], [2, 1])))
    np.testing.assert_array_equal(actual["a"], [[1], [3]])


def test_a_tensor_as_torch_wrote_it_before_0_4(tmp_path):
    function = b"ctorch._utils\n_rebuild_tensor\n"
    python2 = tensor(0, [4], [1], function=function).replace(string("storage"), b"U\x07storage")
    for value in (tensor(0, [4], [1], function=function), python2):
        np.testing.assert_array_equal(arrays(zipped(tmp_path / "a.pth", value))["a"], [0, 1, 2, 3])


def test_a_state_dict_inside_a_checkpoint_is_found(tmp_path):
    inside = b"}" + string("features.0.weight") + tensor(0, [4], [1]) + b"s"
    assert list(arrays(zipped(tmp_path / "a.pth", inside))) == ["a.features.0.weight"]


@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_vgg16_in_torchvisions_names(tmp_path, form):
    """Each array is one number, repeated by a stride of 0, as in the files of VGG-19 that torch wrote."""
    kernels, path, count = weights.KERNELS["vgg16"], tmp_path / "a.pth", 2 * 13
    assert len(kernels) == len(VGG16)
    body = string("classifier.0.weight") + tensor(0, [4096, 25088], [0, 0], count=count) + b"s"
    for i, (place, (*_, before, after)) in enumerate(zip(VGG16, kernels.values(), strict=True)):
        for part, offset, shape in (("weight", 2 * i, [after, before, 3, 3]), ("bias", 2 * i + 1, [after])):
            value = tensor(offset, shape, [0] * len(shape), count=count)
            body += string(f"features.{place}.{part}") + value + b"s"
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", b"\x80\x02}" + body + b".")
            archive.writestr("archive/data/0", np.arange(count, dtype="<f4").tobytes())
    else:
        storage = pickle.dumps(["0"], 2) + struct.pack("<q", count) + np.arange(count, dtype="<f4").tobytes()
        legacy(path, b"\x80\x02}" + body + b"." + storage)
    read = port.read(path, weights.TORCHVISION)
    assert (read.network, read.preprocessing) == ("vgg16", weights.TORCHVISION)
    for i, (layer, shape) in enumerate(kernels.items()):
        np.testing.assert_array_equal(read.parameters[layer]["kernel"], np.full(shape, 2 * i, np.float32))
        np.testing.assert_array_equal(
            read.parameters[layer]["bias"], np.full(shape[3], 2 * i + 1, np.float32)
        )


@pytest.mark.parametrize(
    ("offset", "shape", "stride"),
    [
        (1, [4], [1]), (4, [1], [1]), (0, [5], [1]), (0, [2], [4]), (0, [2, 2], [3, 1]), (0, [2, 2], [2]),
        (-1, [2], [1]), (0, [-2], [1]), (3, [2], [-1]), (0, [2**31 - 1] * 8, [2**31 - 1] * 8),
        (0, [1] * 40, [1] * 40),
    ],
)  # fmt: skip
def test_a_view_beyond_its_storage_is_refused(tmp_path, offset, shape, stride):
    with pytest.raises(InputError, match="damaged"):
        arrays(zipped(tmp_path / "a.pth", tensor(offset, shape, stride)))


@pytest.mark.parametrize("count", [3, 5, 2**31 - 1, -4])
def test_a_storage_of_another_size_is_refused(tmp_path, count):
    with pytest.raises(InputError, match=r"a.pth"):
        arrays(zipped(tmp_path / "a.pth", tensor(0, [1], [1], count=count)))


@pytest.mark.parametrize("options", [{"compression": zipfile.ZIP_DEFLATED}, {"byteorder": b"big"}])
def test_a_zip_that_torch_does_not_write_is_refused(tmp_path, options):
    with pytest.raises(InputError, match="save it again"):
        arrays(zipped(tmp_path / "a.pth", tensor(0, [4], [1]), **options))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("form", ["bare", "zip", "legacy head", "legacy body"])
def test_a_pickle_that_calls_os_system_is_refused_without_effect(tmp_path, protocol, form):
    witness = tmp_path / "witness"
    evil = pickle.dumps({"a": Evil(os.system, f"touch {witness}")}, protocol)
    path = tmp_path / "evil.pth"
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", evil)
    elif form == "bare":
        path.write_bytes(evil)
    elif form == "legacy head":
        path.write_bytes(pickle.dumps(MAGIC, 2) + evil)
    else:
        legacy(path, evil)
    with pytest.raises(InputError, match=r"posix.system|nt.system"):
        arrays(path)
    assert not witness.exists()


def test_the_pickle_of_these_tests_does_call_what_it_names(tmp_path):
    pickle.loads(pickle.dumps(Evil(os.mkdir, str(tmp_path / "witness"))))
    assert (tmp_path / "witness").exists()


@pytest.mark.parametrize("protocol", [0, 1])
def test_an_old_pickle_is_no_weight_file(tmp_path, protocol):
    witness = tmp_path / "witness"
    (tmp_path / "a.pth").write_bytes(pickle.dumps(Evil(os.system, f"touch {witness}"), protocol))
    with pytest.raises(InputError, match="not a weight file"):
        arrays(tmp_path / "a.pth")
    assert not witness.exists()


@pytest.mark.parametrize(
    "name",
    ["builtins getattr", "torch.nn.modules.conv Conv2d", "torch load", "collections.OrderedDict __init__"],
)
def test_only_the_names_of_a_state_dict_are_known(tmp_path, name):
    value = b"c" + name.replace(" ", "\n").encode() + b"\n)R"
    with pytest.raises(InputError, match="nothing of it was run"):
        arrays(zipped(tmp_path / "a.pth", value))


@pytest.mark.parametrize(
    "value",
    [
        b"r\xff\xff\xff\x7f",  # a memo of two thousand million places
        b"X\xff\xff\xff\x7fabc",  # a text of two gigabytes
        b")" + b"\x85" * 15_000 + b"Ns",  # a key nested too deep to be hashed
        b"(" * 25_000,
        b"I1\n",
        b"j\x00\x00\x00\x00",
        b"0" * 10,
        b"ccollections\nOrderedDict\n(K\x01K\x02tR",
        b"",
    ],
)
def test_a_malformed_pickle_is_refused(tmp_path, value):
    with pytest.raises(InputError, match=r"a.pth"):
        arrays(zipped(tmp_path / "a.pth", value))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"}" + doubled(14) + b"Ns", "key that is not a name"),
        (b"}(" + doubled(14) + b"Nu", "key that is not a name"),
        (b"})" + b"\x85" * 15_000 + b"Ns", "key that is not a name"),
        (ORDERED_DICT + b"]" + doubled(14) + b"N\x86a\x85R", "key that is not a name"),
        (doubled(14) + b"NR", "without a tuple of arguments"),
        (string("os") + doubled(14) + b"\x93", "STACK_GLOBAL"),
        (doubled(14) + string("system") + b"\x93", "STACK_GLOBAL"),
        (sequence(string("storage"), doubled(14), string("0"), b"N", number(4)) + b"Q", "than a storage"),
        (TENSOR + sequence(doubled(14), number(0), doubled(14), doubled(14)) + b"R", "without a storage"),
    ],
)
def test_tuples_that_double_are_neither_hashed_nor_shown(tmp_path, value, reason):
    with pytest.raises(InputError, match=reason):
        arrays(zipped(tmp_path / "a.pth", value))


@pytest.mark.parametrize("key", [doubled(14), b")" + b"\x85" * 15_000, b"N"])
def test_a_key_of_a_legacy_storage_is_a_text(tmp_path, key):
    body = pickle.dumps({}, 2) + b"\x80\x02]" + key + b"a."
    with pytest.raises(InputError, match="key is not a text"):
        arrays(legacy(tmp_path / "a.pth", body))


@pytest.mark.parametrize(
    "value",
    [
        b")" + b"\x85" * 19_000,
        b"]" * 9_000 + b"a" * 8_999,
        b"}K\x01" * 6_000 + b"N" + b"s" * 6_000,
        (ORDERED_DICT + b"](K\x01") * 2_400 + b"N" + b"ta\x85R" * 2_400,
        b"]q\x00h\x00a",
        b"}q\x00K\x01h\x00s",
    ],
)
def test_values_deep_in_each_other_are_skipped(tmp_path, value):
    assert arrays(zipped(tmp_path / "a.pth", value)) == {}


@pytest.mark.parametrize("put", [b"r\xff\xff\xff\x7f", b"r\xff\xff\xff\xff"])
def test_a_large_index_of_the_memo_takes_no_memory(tmp_path, put):
    value = tensor(0, [4], [1])
    with little_memory():
        assert arrays(zipped(tmp_path / "a.pth", value + put + b"j" + put[1:] + b"\x86")) == {}
        assert list(arrays(zipped(tmp_path / "a.pth", value + put))) == ["a"]


def test_one_list_does_not_become_many_dicts():
    pairs = b"(" + b"".join(string(str(i)) + b"N\x86" for i in range(50)) + b"e"
    value = sequence(ORDERED_DICT + b"q\x00", b"]" + pairs + b"\x85q\x01", b"h\x00h\x01R" * 20)
    allowed = {"collections.OrderedDict": pickled.Dictionary}
    _, _, *dicts = pickled.load(io.BytesIO(b"\x80\x02" + value + b"."), allowed, repr)
    assert (len(dicts), sum(map(len, dicts))) == (20, 50)


def test_a_pickle_of_too_many_opcodes_is_refused(tmp_path):
    body = b"\x80\x02}(" + b"N" * 25_000 + b"tN."
    for path in (zipped(tmp_path / "a.pth", body), legacy(tmp_path / "b.pth", body)):
        with pytest.raises(InputError, match="longer than any network's"):
            arrays(path)


@pytest.mark.parametrize(
    "start", [b"X\xff\xff\xff\x7f", b"c", b"B\xff\xff\xff\x7f", b"\x95" + b"\xff" * 7 + b"\x0f"]
)
def test_what_follows_a_legacy_pickle_is_not_read_as_a_part_of_it(tmp_path, start):
    path = legacy(tmp_path / "a.pth", b"\x80\x02" + start)
    os.truncate(path, 1 << 28)
    with little_memory(), pytest.raises(InputError, match=r"a.pth"):
        arrays(path)


@pytest.mark.parametrize("member", ["data.pkl", "byteorder"])
def test_a_member_that_unpacks_to_much_is_refused(tmp_path, member):
    path = tmp_path / "a.pth"
    members = {"data.pkl": b"\x80\x02}.", "byteorder": b"little"} | {member: bytes(1 << 27)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(f"archive/{name}", content)
    with little_memory(), pytest.raises(InputError, match=r"longer than any network|big-endian"):
        arrays(path)


@pytest.mark.parametrize(
    "value",
    [
        b"\x82\x01", b"\x83\x01\x00", b"\x84\x01\x00\x00\x00",  # extensions, which skip the check of names once known
        b"0", b"(1", b"2", b"(l", b"(d", b"\x8f", b"(\x91", b"\x8f(\x90",
        b"(icollections\nOrderedDict\n", b"(" + ORDERED_DICT + b"o",
        ORDERED_DICT + b")\x81", ORDERED_DICT + b")}\x92",
        b"I1\n", b"L1L\n", b"F1\n", b"S'a'\n", b"Va\n", b"\x8b\x01\x00\x00\x00\x01", b"p0\n", b"g0\n", b"P0\n",
        b"C\x01a", b"B\x01\x00\x00\x00a", *(code + struct.pack("<Q", 1) + b"a" for code in (b"\x8d", b"\x8e", b"\x96")),
        b"\x97", b"\x98",
    ],
)  # fmt: skip
def test_opcodes_that_state_dicts_do_not_need_are_refused(tmp_path, value):
    with pytest.raises(InputError, match="an opcode that no weight file needs"):
        arrays(zipped(tmp_path / "a.pth", value))


@pytest.mark.parametrize("function", [ORDERED_DICT, TENSOR])
@pytest.mark.parametrize("state", [ATTRIBUTES, b"N" + ATTRIBUTES + b"\x86"])
def test_a_pickle_changes_no_function_of_ours(tmp_path, function, state):
    assert arrays(zipped(tmp_path / "a.pth", function + state + b"b")) == {}
    assert not hasattr(pickled.Dictionary, "hostile")
    assert not hasattr(torch_file._tensor, "hostile")


def test_the_metadata_of_a_state_dict_is_skipped(tmp_path):
    metadata = b"}" + string("_metadata") + ORDERED_DICT + b")Rsb"
    value = ORDERED_DICT + b")R" + string("b") + tensor(0, [4], [1]) + b"s" + metadata
    assert list(arrays(zipped(tmp_path / "a.pth", value))) == ["a.b"]


def test_an_ordered_dict_as_python_2_wrote_it(tmp_path):
    value = ORDERED_DICT + b"](](" + string("b") + tensor(0, [4], [1]) + b"e" + b"e\x85R"
    assert list(arrays(zipped(tmp_path / "a.pth", value))) == ["a.b"]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickles_in_a_row_are_read_one_by_one(protocol):
    values = [MAGIC, {"a": [1, 2.5, None, True, (1, 2, 3, 4)]}, ["b" * 100_000, "c"]]
    stream = io.BytesIO(b"".join(pickle.dumps(value, protocol) for value in values) + b"rest")
    assert [pickled.load(stream, {}, repr) for _ in values] == values
    assert stream.read() == b"rest"


def test_a_name_with_two_lines_is_shown_in_one(tmp_path):
    path = zipped(tmp_path / "a.pth", tensor(0, [4], [1]).replace(string("0"), string("0\n1")))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/data/0\n1", b"")
    with pytest.raises(InputError, match="save it again") as caught:
        arrays(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", [{"magic": 7}, {"protocol": 1002}, {"little": False}])
def test_a_legacy_head_that_is_not_torchs_is_refused(tmp_path, change):
    with pytest.raises(InputError, match=r"a.pth"):
        arrays(legacy(tmp_path / "a.pth", pickle.dumps({}), **change))


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_anywhere_is_refused(tmp_path, name):
    content = (DATA / name).read_bytes()
    for size in [*range(0, len(content), 61), len(content) - 1]:
        path = tmp_path / "cut.pth"
        path.write_bytes(content[:size])
        with pytest.raises(InputError):
            arrays(path)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_never_raises_anything_else(tmp_path, name):
    content = bytearray((DATA / name).read_bytes())
    path = tmp_path / "flipped.pth"
    for place in range(0, len(content), 47):
        content[place] ^= 0xFF
        path.write_bytes(content)
        content[place] ^= 0xFF
        with contextlib.suppress(InputError):
            arrays(path)
