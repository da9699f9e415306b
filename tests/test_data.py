"""Data sets through tensorflow-datasets: made, read back, drawn from, and what is said of those that can't be."""

import json

import numpy as np
import pytest
from PIL import Image

from nst import data, experiment, images, sweep
from nst.config import base
from nst.errors import InputError
from nst.images import sets
from nst.sweep import plan as plans
from nst.sweep.trials import Folder
from nst.sweep.work import lockstep

SIZES = {"a": (40, 60), "b": (50, 31), "c": (36, 36)}
LABELS = ["astronaut", "chelsea", "coffee", "grace_hopper", "rocket"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three pictures: a PNG, a JPEG that lies on its side, a TIFF."""
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for (name, (height, width)), suffix in zip(SIZES.items(), ("png", "jpg", "tif"), strict=True):
        exif = Image.Exif()
        exif[0x0112] = 6 if suffix == "jpg" else 1
        picture = Image.fromarray(generator.integers(0, 256, (height, width, 3), np.uint8))
        picture.save(folder / f"{name}.{suffix}", exif=exif)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory, folder):
    """A cache folder with the project's sets and one of that folder."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NST_CACHE_DIR", str(cache))
        data.add("mine", folder)
        for name in data.OURS:
            data.prepare(name)
    return cache


@pytest.fixture(autouse=True)
def cache(monkeypatch, made):
    monkeypatch.setenv("NST_CACHE_DIR", str(made))


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_set_has_the_pictures_of_its_folder_upright_and_in_8_bits(folder):
    members = sets.members("tfds:mine/train")
    assert [images.list_pictures(member)[0].stem for member in members] == list(SIZES)
    for member, path in zip(members, sorted(folder.iterdir()), strict=True):
        expected = np.rint(images.read(path) * 255).astype(np.uint8)
        with Image.open(images.list_pictures(member)[0], formats=["PNG"]) as stored:
            np.testing.assert_array_equal(np.asarray(stored), expected)
        np.testing.assert_array_equal(images.read(member), expected / np.float32(255))
    assert images.read("tfds:mine/train#1").shape == (31, 50, 3)


def test_the_projects_sets_hold_five_photographs_and_three_paintings():
    assert [images.list_pictures(m)[0].stem for m in sets.members("tfds:nst_photos/train")] == LABELS
    assert len(sets.members("tfds:nst_paintings/train")) == 3
    assert [(name, count) for name, count, _ in data.available()] == [
        ("tfds:mine/train", 3),
        ("tfds:nst_paintings/train", 3),
        ("tfds:nst_photos/train", 5),
    ]


def test_what_is_made_is_not_made_again(made):
    files = {path: path.stat().st_mtime_ns for path in (made / "data" / "nst_photos").rglob("*.json")}
    data.prepare("nst_photos")
    assert files == {path: path.stat().st_mtime_ns for path in files}


def test_a_split_can_be_a_part():
    (member,) = sets.members("tfds:nst_photos/train[2:3]")
    np.testing.assert_array_equal(images.read(member), images.read("tfds:nst_photos/train#2"))


def test_a_sweep_has_a_trial_for_every_pair_and_all_go_in_lockstep(tmp_path):
    config = base()
    config.images.content, config.images.style = "tfds:nst_photos/train", "tfds:nst_paintings/train"
    plan = plans.make(config, [{"images.size": 64, "pyramid.scales": ()}])
    assert [trial.name for trial in plan.trials][:2] == [
        "content=astronaut,style=hatching",
        "content=astronaut,style=panes",
    ]
    assert len(plan.trials) == 15
    assert plan.trials[-1].overrides["images.content"] == "tfds:nst_photos/train#4"
    assert len({lockstep(Folder(tmp_path), plan, trial) for trial in plan.trials}) == 1


@pytest.fixture
def small():
    config = base()
    config.update_from_flattened_dict(
        {
            "images.content": "tfds:mine/train#0",
            "images.style": "tfds:mine/train#1",
            "images.size": 24,
            "images.aspect": 1.5,
            "features.weights": "random",
            "loss.content_layers": (),
            "loss.style_layers": ("relu1_1",),
            "loss.style_layer_weights": (),
            "pyramid.scales": (),
            "optimizer.name": "adam",
            "optimizer.learning_rate": 0.02,
            "optimizer.steps": 2,
        }
    )
    return config


def test_pictures_of_a_set_share_one_size_and_others_keep_theirs(small, tmp_path, folder):
    for number in range(3):
        small.images.content = f"tfds:mine/train#{number}"
        experiment.run(small, tmp_path / str(number))
        assert images.read(tmp_path / str(number) / "image.png").shape == (16, 24, 3)
    small.images.content = str(folder / "c.tif")
    experiment.run(small, tmp_path / "file")
    assert images.read(tmp_path / "file" / "image.png").shape == (24, 24, 3)


def test_a_run_goes_on_where_the_cache_lies_elsewhere(small, tmp_path, folder, monkeypatch):
    experiment.run(small, tmp_path / "run")
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "elsewhere"))
    data.add("mine", folder)
    small.optimizer.steps = 4
    experiment.run(small, tmp_path / "run", resume=True)
    inputs = json.loads((tmp_path / "run" / "config.json").read_text())["inputs"]
    assert inputs["content"]["path"].startswith(str(tmp_path / "elsewhere"))


def test_chosen_pictures_depend_on_the_seed_alone():
    chosen = [data.choose("tfds:nst_photos/train", 3, seed=seed) for seed in (0, 0, 1, 2, 3)]
    assert chosen[0] == chosen[1]
    assert len({tuple(names) for names in chosen}) > 1
    assert all(
        len(set(names)) == 3 and set(names) <= set(sets.members("tfds:nst_photos/train")) for names in chosen
    )
    with pytest.raises(
        InputError, match=r"nst_photos/train has 5 pictures: give a number from 1 to that, not 6"
    ):
        data.choose("tfds:nst_photos/train", 6, seed=0)


def test_a_set_is_gone_through_in_batches_of_one_size():
    found = data.pictures("tfds:mine/train", size=16, aspect=0.5)
    (batch,) = found.batch(3)
    assert (batch.shape, batch.dtype) == ((3, 16, 8, 3), np.float32)
    np.testing.assert_array_equal(batch[2], images.cover(images.read("tfds:mine/train#2"), 16, 8))


def test_each_epoch_has_an_order_of_its_own_from_the_seed():
    def order(seed):
        found = data.pictures("tfds:nst_photos/train", size=8, seed=seed).repeat(4)
        return [picture.tobytes() for picture in found]

    first = order(0)
    assert first == order(0)
    assert first != order(1)
    epochs = [first[i : i + 5] for i in range(0, 20, 5)]
    assert len(set(map(tuple, epochs))) > 1
    assert len(set(map(frozenset, epochs))) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tfds:nst_photos", r"give tfds:NAME/SPLIT, such as tfds:nst_photos/train"),
        ("tfds:", r"give tfds:NAME/SPLIT"),
        ("tfds:nst_photos/train#x", r"give tfds:NAME/SPLIT"),
        (
            "tfds:nst_photo/train",
            r"no data set nst_photo is prepared here: python scripts/data.py prepare nst_photo",
        ),
        ("tfds:../mine/train", r"no data set ../mine is prepared here"),
        ("tfds:nst_photos/test", r"tfds:nst_photos/test can't be read .*: it has train"),
        ("tfds:nst_photos/train[5:]", r"can't be read .*: it has train"),
        ("tfds:nst_photos/train#5", r"has 5 pictures: give a number below that"),
    ],
)
def test_names_that_cannot_be_used(name, message, tmp_path):
    for ask in (
        images.list_pictures,
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


def test_a_set_is_no_picture():
    with pytest.raises(InputError, match=r"tfds:mine/train is a data set: name one of its pictures"):
        images.read("tfds:mine/train")


@pytest.mark.parametrize("name", ["Mine", "a b", "../up", "nst_photos", "", "1st"])
def test_names_that_no_set_can_have(name, folder):
    with pytest.raises(InputError, match="give a name of small letters"):
        data.add(name, folder)


def test_what_cannot_be_added(folder, tmp_path):
    with pytest.raises(InputError, match=r"mine exists: give another name, or delete it"):
        data.add("mine", folder)
    with pytest.raises(InputError, match="is not a folder"):
        data.add("other", tmp_path / "none")
    with pytest.raises(InputError, match="has no pictures"):
        data.add("other", tmp_path)
    for suffix in ("png", "jpg"):
        (tmp_path / f"same.{suffix}").write_bytes(b"")
    with pytest.raises(InputError, match="two pictures share a name"):
        data.add("other", tmp_path)
    with pytest.raises(InputError, match=r"nonsense can't be prepared .*nst_photos"):
        data.prepare("nonsense")


def test_a_bad_picture_leaves_no_set_behind(tmp_path, folder, own_cache):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for path in folder.iterdir():
        (pictures / path.name).write_bytes(path.read_bytes())
    (pictures / "b.jpg").write_bytes((folder / "b.jpg").read_bytes()[:500])
    with pytest.raises(InputError, match=r"b\.jpg is truncated or damaged"):
        data.add("mine", pictures)
    with pytest.raises(InputError, match="no data set mine is prepared"):
        sets.members("tfds:mine/train")
    (pictures / "b.jpg").write_bytes((folder / "b.jpg").read_bytes())
    (own_cache / "data" / "mine" / ".unfinished-of-a-killed-process").mkdir()
    data.add("mine", pictures)
    assert len(sets.members("tfds:mine/train")) == 3
    assert not list((own_cache / "data" / "mine").glob(".unfinished*"))


def test_a_damaged_set_is_told_of(own_cache, folder):
    (records,) = data.add("mine", folder).glob("*array_record*")
    content = bytearray(records.read_bytes())
    content[len(content) // 50] ^= 1
    records.write_bytes(content)
    with pytest.raises(InputError, match=r"tfds:mine/train(#\d)? is damaged .*: prepare or add"):
        images.list_pictures("tfds:mine/train")


def test_a_set_of_another_program_works_by_name(monkeypatch, tmp_path, folder):
    """Found in that package's own folder; pictures without a name are numbered; they stay the files they are."""
    tfds = sets.package()
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    jpeg = (folder / "b.jpg").read_bytes()

    def prepare(name, features, examples):
        class Theirs(tfds.core.GeneratorBasedBuilder, skip_registration=True):
            """A builder as one finds them."""

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
    paths = images.list_pictures("tfds:pets:2.1.0/validation")
    assert [path.name for path in paths] == ["000000.jpg", "000001.jpg"]
    assert paths[0].read_bytes() == jpeg

    (info,) = [place / "dataset_info.json"]
    info.write_text(info.read_text().replace('"array_record"', '"tfrecord"'))
    with pytest.raises(InputError, match=r"prepared as tfrecord, .*: prepare it as array_record"):
        images.list_pictures("tfds:pets/validation")

    prepare("numbers", tfds.features.FeaturesDict({"x": np.int64}), [{"x": 1}])
    with pytest.raises(InputError, match="has no feature 'image' with pictures"):
        images.list_pictures("tfds:numbers/validation")


def test_without_the_extra_the_install_is_named(monkeypatch):
    monkeypatch.setattr(sets, "_PACKAGES", ("tensorflow_datasets", "no_such_package"))
    sets._opened.cache_clear()
    with pytest.raises(InputError, match=r"data sets need no_such_package: pip install 'nst\[data\]'"):
        images.list_pictures("tfds:mine/train")
