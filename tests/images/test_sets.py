"""Data sets in place of images: their names, sets of other programs, and errors for those that can't be read."""

import io

import numpy as np
import pytest
from PIL import Image

from nst import data, images, sweep
from nst.config import base
from nst.errors import InputError
from nst.images import sets

pytestmark = pytest.mark.usefixtures("sets")


def test_a_split_can_be_a_part():
    (member,) = sets.members("tfds:nst_photos/train[2:3]")
    np.testing.assert_array_equal(images.read(member), images.read("tfds:nst_photos/train#2"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tfds:nst_photos", r"give tfds:NAME/SPLIT, such as tfds:nst_photos/train"),
        ("tfds:", r"give tfds:NAME/SPLIT"),
        ("tfds:nst_photos/train#x", r"give tfds:NAME/SPLIT"),
        (
            "tfds:nst_photo/train",
            r"no data set nst_photo is prepared here: nst data prepare nst_photo",
        ),
        ("tfds:../nst_photos/train", r"no data set ../nst_photos is prepared here"),
        (
            "tfds:nst_photos/test",
            r"tfds:nst_photos/test can't be read .*: the splits of the data set are train",
        ),
        ("tfds:nst_photos/train[5:]", r"can't be read .*: the splits of the data set are train"),
        ("tfds:nst_photos/train#5", r"has 5 images: give a number below that"),
    ],
)
def test_names_that_cannot_be_used(name, message, tmp_path):
    for ask in (
        images.list_images,
        images.each,
        lambda name: sweep.begin(_with(name), [{}], tmp_path / "sweep"),
    ):
        with pytest.raises(InputError, match=message):
            ask(name)
    assert not (tmp_path / "sweep").exists()


def _with(content):
    config = base()
    config.images.content = content
    return config


def test_a_set_is_not_an_image():
    with pytest.raises(InputError, match=r"tfds:nst_photos/train is a data set: name one of its images"):
        images.read("tfds:nst_photos/train")


def test_a_flipped_bit_is_reported_or_harmless(monkeypatch, tmp_path):
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path))
    (records,) = data.prepare("nst_paintings").glob("*array_record*")
    whole = records.read_bytes()
    members = sets.members("tfds:nst_paintings/train")
    expected = [images.list_images(member)[0].read_bytes() for member in members]
    messages = []
    for place in np.random.default_rng(0).integers(0, len(whole), 20):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(place) % 8
        records.write_bytes(flipped)
        sets._opened.cache_clear()
        try:
            assert [images.list_images(member)[0].read_bytes() for member in members] == expected
        except InputError as error:
            messages.append(str(error))
    assert len(messages) > 10  # some bytes are padding
    remedies = (f"delete {records.parent}, and prepare or add", "can't be read")
    assert [line for line in messages if not any(remedy in line for remedy in remedies)] == []


def test_a_set_of_another_program_works_by_name(monkeypatch, tmp_path):
    """The folder of tensorflow-datasets is searched; images without a name are numbered; files stay unchanged."""
    tfds = sets.package()
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    stream = io.BytesIO()
    Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(stream, "JPEG")
    jpeg = stream.getvalue()

    def prepare(name, features, examples):
        class Theirs(tfds.core.GeneratorBasedBuilder, skip_registration=True):
            """A builder of another program."""

            VERSION = tfds.core.Version("2.1.0")

            def _info(self):
                return tfds.core.DatasetInfo(builder=self, features=features)

            def _split_generators(self, dl_manager):
                return {"validation": iter(enumerate(examples))}

            def _generate_examples(self):
                return ()

        Theirs.name = name
        builder = Theirs(data_dir=str(tmp_path), file_format="array_record")
        builder.download_and_prepare()
        return builder.data_path

    names = ["cat", "dog"]
    features = tfds.features.FeaturesDict(
        {"image": tfds.features.Image(), "label": tfds.features.ClassLabel(names=names)}
    )
    place = prepare("pets", features, [{"image": jpeg, "label": name} for name in names])
    paths = images.list_images("tfds:pets:2.1.0/validation")
    assert [path.name for path in paths] == ["000000.jpg", "000001.jpg"]
    assert paths[0].read_bytes() == jpeg

    (info,) = [place / "dataset_info.json"]
    info.write_text(info.read_text().replace('"array_record"', '"tfrecord"'))
    with pytest.raises(InputError, match=r"prepared as tfrecord, .*: prepare it as array_record"):
        images.list_images("tfds:pets/validation")

    prepare("numbers", tfds.features.FeaturesDict({"x": np.int64}), [{"x": 1}])
    with pytest.raises(InputError, match="has no feature 'image' with images"):
        images.list_images("tfds:numbers/validation")


def test_without_the_extra_the_error_names_the_install(monkeypatch):
    monkeypatch.setattr(sets, "_PACKAGES", ("tensorflow_datasets", "no_such_package"))
    sets._opened.cache_clear()
    with pytest.raises(InputError, match=r"data sets need no_such_package: pip install 'nst\[data\]'"):
        images.list_images("tfds:nst_photos/train")
