"""Data sets through tensorflow-datasets: made, read back, drawn from, and errors."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from nst import data, images, runs, sweep
from nst.config import base
from nst.errors import InputError
from nst.images import sets
from nst.sweep import plan as plans
from nst.sweep import summary
from nst.sweep.trials import Folder
from nst.sweep.work import batch_key, work

SIZES = {"a": (40, 60), "b": (50, 31), "c": (36, 36)}
LABELS = ["astronaut", "chelsea", "coffee", "grace_hopper", "rocket"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three images: a PNG, a JPEG with a rotation in its EXIF, a TIFF."""
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
    """A cache folder with the project's data sets and one of the images in `folder`."""
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


def test_a_set_has_the_images_of_its_folder_upright_and_in_8_bits(folder):
    members = sets.members("tfds:mine/train")
    assert [images.list_images(member)[0].stem for member in members] == list(SIZES)
    for member, path in zip(members, sorted(folder.iterdir()), strict=True):
        expected = np.rint(images.read(path) * 255).astype(np.uint8)
        with Image.open(images.list_images(member)[0], formats=["PNG"]) as stored:
            np.testing.assert_array_equal(np.asarray(stored), expected)
        np.testing.assert_array_equal(images.read(member), expected / np.float32(255))
    assert images.read("tfds:mine/train#1").shape == (31, 50, 3)


def test_the_projects_sets_hold_five_photographs_and_three_paintings():
    assert [images.list_images(m)[0].stem for m in sets.members("tfds:nst_photos/train")] == LABELS
    assert len(sets.members("tfds:nst_paintings/train")) == 3
    assert [(name, count) for name, count, _ in data.available()] == [
        ("tfds:mine/train", 3),
        ("tfds:nst_paintings/train", 3),
        ("tfds:nst_photos/train", 5),
    ]


def test_a_set_is_made_once(made):
    files = {path: path.stat().st_mtime_ns for path in (made / "data" / "nst_photos").rglob("*.json")}
    data.prepare("nst_photos")
    assert files == {path: path.stat().st_mtime_ns for path in files}


def test_a_sweep_has_a_trial_for_every_pair_and_all_are_batched(tmp_path):
    config = base()
    config.images.content, config.images.style = "tfds:nst_photos/train", "tfds:nst_paintings/train"
    plan = plans.make(config, [{"images.size": 64, "pyramid.scales": ()}])
    assert [trial.name for trial in plan.trials][:2] == [
        "content=astronaut,style=hatching",
        "content=astronaut,style=panes",
    ]
    assert len(plan.trials) == 15
    assert plan.trials[-1].overrides["images.content"] == "tfds:nst_photos/train#4"
    assert len({batch_key(Folder(tmp_path), plan, trial) for trial in plan.trials}) == 1


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
            "optimizer.learning_rate": 1e-4,  # with more, the first steps of such a small image raise the loss
            "optimizer.steps": 2,
        }
    )
    return config


def test_images_of_a_set_share_one_size_and_others_keep_theirs(small, tmp_path, folder):
    for number in range(3):
        small.images.content = f"tfds:mine/train#{number}"
        runs.run(small, tmp_path / str(number))
        assert images.read(tmp_path / str(number) / "image.png").shape == (16, 24, 3)
    small.images.content = str(folder / "c.tif")
    runs.run(small, tmp_path / "file")
    assert images.read(tmp_path / "file" / "image.png").shape == (24, 24, 3)


def test_a_run_continues_with_another_cache_folder(small, tmp_path, folder, monkeypatch):
    runs.run(small, tmp_path / "run")
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "elsewhere"))
    data.add("mine", folder)
    small.optimizer.steps = 4
    runs.run(small, tmp_path / "run", resume=True)
    inputs = json.loads((tmp_path / "run" / "config.json").read_text())["inputs"]
    assert inputs["content"]["path"].startswith(str(tmp_path / "elsewhere"))


def test_nothing_recompiles_between_images_of_a_set(small, tmp_path):
    small.images.content = "tfds:mine/train"  # of three sizes
    small.images.size = 20  # used by no other test, so that something is compiled
    plan = sweep.begin(small, [{}], tmp_path)
    work(tmp_path, lambda *_: None)
    rows = summary.collect(Folder(tmp_path), plan)
    assert [row["state"] for row in rows] == ["done"] * 3
    assert rows[0]["took"]["compilations"] > 0
    assert [row["took"]["compilations"] for row in rows[1:]] == [0, 0]


def test_chosen_images_depend_on_the_seed_only():
    chosen = [data.choose("tfds:nst_photos/train", 3, seed=seed) for seed in (0, 0, 1, 2, 3)]
    assert chosen[0] == chosen[1]
    assert len({tuple(names) for names in chosen}) > 1
    assert all(
        len(set(names)) == 3 and set(names) <= set(sets.members("tfds:nst_photos/train")) for names in chosen
    )
    with pytest.raises(InputError, match=r"nst_photos/train has 5 images: give a number from 1 to 5, not 6"):
        data.choose("tfds:nst_photos/train", 6, seed=0)


def test_a_set_is_read_in_batches_of_one_size():
    dataset = data.dataset("tfds:mine/train", size=16, aspect=0.5)
    (batch,) = dataset.batch(3)
    assert (batch.shape, batch.dtype) == ((3, 16, 8, 3), np.float32)
    np.testing.assert_array_equal(batch[2], images.cover(images.read("tfds:mine/train#2"), 16, 8))


def test_each_epoch_has_an_order_of_its_own_from_the_seed():
    def order(seed):
        dataset = data.dataset("tfds:nst_photos/train", size=8, seed=seed).repeat(4)
        return [image.tobytes() for image in dataset]

    first = order(0)
    assert first == order(0)
    assert first != order(1)
    epochs = [first[i : i + 5] for i in range(0, 20, 5)]
    assert len(set(map(tuple, epochs))) > 1
    assert len(set(map(frozenset, epochs))) == 1


@pytest.mark.parametrize("name", ["Mine", "a b", "../up", "nst_photos", "", "1st"])
def test_names_that_no_set_can_have(name, folder):
    with pytest.raises(InputError, match="give a name of lower-case letters"):
        data.add(name, folder)


def test_folders_that_cannot_be_added(folder, tmp_path):
    with pytest.raises(InputError, match=r"mine exists: give another name, or delete it"):
        data.add("mine", folder)
    with pytest.raises(InputError, match="is not a folder"):
        data.add("other", tmp_path / "none")
    with pytest.raises(InputError, match="has no images"):
        data.add("other", tmp_path)
    for suffix in ("png", "jpg"):
        (tmp_path / f"same.{suffix}").write_bytes(b"")
    with pytest.raises(InputError, match="two images share a name"):
        data.add("other", tmp_path)
    with pytest.raises(InputError, match=r"nonsense can't be prepared .*nst_photos"):
        data.prepare("nonsense")


def test_a_damaged_image_leaves_no_set_behind(tmp_path, folder, own_cache):
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
    mine = own_cache / "data" / "mine"
    shutil.copytree(mine / "1.0.0", mine / ".unfinished-again" / "mine" / "1.0.0")
    assert [name for name, *_ in data.available()] == ["tfds:mine/train"]
