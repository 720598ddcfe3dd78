"""Envelopes, leaf hashes, keys, ids, instants and commits: the published vectors, and one spelling for each value."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from interlock.core import ids, times
from interlock.core.audit import commits, dsse
from interlock.core.audit.leaf import leaf_hash
from interlock.core.audit.notekey import VerifierKey
from interlock.errors import BadInput

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = PRIVATE.public_key().public_bytes_raw()

# golang.org/x/mod/sumdb/note, the example of its documentation
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

LINES = st.binary(min_size=1, max_size=300).map(lambda data: data.replace(b"\n", b" "))


def _sealed(payload: bytes = b'{"a":1}') -> dsse.Envelope:
    return dsse.seal("application/x", payload, keyid="k", sign=PRIVATE.sign)


class TestDsse:
    """core.audit.dsse."""

    def test_pae_is_the_published_one(self) -> None:
        """The pre-authentication encoding is that of the DSSE specification's own example."""
        assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        )

    def test_pae_counts_bytes(self) -> None:
        """Lengths are those of bytes, not of characters."""
        assert dsse.pae("ü", "ß".encode()) == "DSSEv1 2 ü 2 ß".encode()

    @given(st.binary(max_size=2000))
    def test_an_envelope_survives_the_wire(self, payload: bytes) -> None:
        """What was sealed is read back equal and verifies by its key."""
        envelope = _sealed(payload)
        read = dsse.parse(envelope.encode())

        assert (read, read.signed_by(PUBLIC)) == (envelope, True)

    def test_an_envelope_inside_a_document_is_the_same(self) -> None:
        """Written as an object and read back, it is equal."""
        assert dsse.from_json(_sealed().to_json()) == _sealed()

    @given(st.data())
    def test_no_byte_of_an_envelope_is_free(self, data: st.DataObject) -> None:
        """Whatever byte is changed, the envelope is refused, or names another key, or its signature does not verify."""
        good = _sealed().encode()
        at = data.draw(st.integers(0, len(good) - 1))
        changed = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
        try:
            read = dsse.parse(changed)
        except BadInput:
            return

        assert read.keyid != "k" or not read.signed_by(PUBLIC)

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"{}", id="no field"),
            pytest.param(_sealed().encode().replace(b'"sig"', b'"sig" '), id="white space"),
            pytest.param(_sealed(b"a").encode().replace(b"YQ==", b"YR=="), id="base64 with bits left over"),
            pytest.param(_sealed().encode().replace(b"eyJhIjoxfQ", b"eyJhIjoxf!"), id="not base64"),
            pytest.param(_sealed().encode()[:-1] + b',"x":1}', id="another field"),
            pytest.param(_sealed().encode().replace(b"[{", b'[{"keyid":"z","sig":""},{'), id="two signatures"),
            pytest.param(b'{"payload":"' + b"A" * dsse.MAX_ENVELOPE_BYTES + b'"}', id="too large"),
        ],
    )
    def test_other_bytes_are_no_envelope(self, data: bytes) -> None:
        """What is not exactly what `seal` writes is refused."""
        with pytest.raises(BadInput, match="envelope"):
            dsse.parse(data)

    def test_a_key_that_is_no_point_verifies_nothing(self) -> None:
        """Public keys come from outside; bytes that are none are not an error."""
        assert not _sealed().signed_by(b"\xff" * 32)
        assert not _sealed().signed_by(b"short")


class TestLeaf:
    """core.audit.leaf."""

    def test_published_vectors(self) -> None:
        """The hash of an empty leaf and of one zero byte are those of RFC 6962's reference implementations."""
        assert [leaf_hash(b""), leaf_hash(b"\x00")] == [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        ]


class TestVerifierKey:
    """core.audit.notekey."""

    def test_a_published_key_is_read_and_written(self) -> None:
        """The example key of the signed-note package keeps its line."""
        key = VerifierKey.parse(f"{NEUMANN}\n")

        assert (key.name, key.key_id, str(key)) == ("PeterNeumann", "c74f20a3", NEUMANN)

    @given(st.binary(min_size=32, max_size=32), st.from_regex(r"[a-z./0-9-]+", fullmatch=True))
    def test_every_key_survives_its_line(self, raw: bytes, name: str) -> None:
        """Written and read back, it is equal."""
        key = VerifierKey(name=name, public_key=raw)
        assert VerifierKey.parse(str(key)) == key

    def test_a_fingerprint_reads_like_ssh(self) -> None:
        """People compare fingerprints in a form that they know."""
        raw = b"\x00" * 32
        assert VerifierKey(name="n", public_key=raw).fingerprint == "SHA256:Zmh6rfhivXdsj8GLjp+OIAiXFIVu4jOzkCpZHQ1fKSU"

    @pytest.mark.parametrize(
        "line",
        [
            pytest.param("", id="empty"),
            pytest.param("name+c74f20a3", id="no key"),
            pytest.param(NEUMANN.replace("Peter", "Pete"), id="another name under the same id"),
            pytest.param(NEUMANN.replace("c74f20a3", "c74f20a4"), id="another id"),
            pytest.param(NEUMANN[:-4], id="cut short"),
            pytest.param(f"+{NEUMANN}", id="no name"),
            pytest.param(NEUMANN.replace("+ARpc", "+AhpC"), id="another algorithm"),
            pytest.param(NEUMANN.replace("+ARpc", "+***c"), id="not base64"),
            pytest.param("-----BEGIN PUBLIC KEY-----", id="PEM"),
        ],
    )
    def test_other_lines_are_refused(self, line: str) -> None:
        """A line that is no such key says what was expected."""
        with pytest.raises(BadInput, match="key"):
            VerifierKey.parse(line)


class TestIds:
    """core.ids."""

    def test_the_vector_of_rfc_9562(self) -> None:
        """Appendix A.6 of the RFC."""
        at = datetime(2022, 2, 22, 14, 22, 22, tzinfo=timezone(timedelta(hours=-5)))
        random = (0xCC3 << 68 | 0x18C4DC0C0C07398F).to_bytes(10, "big")

        assert ids.uuid7(at, random) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"

    @given(st.integers(0, 2**33), st.binary(min_size=10, max_size=10))
    def test_ids_sort_by_time(self, seconds: int, random: bytes) -> None:
        """An id of a later millisecond is greater, whatever its random part."""
        at = datetime.fromtimestamp(seconds, tz=UTC)
        assert ids.uuid7(at, b"\xff" * 10) < ids.uuid7(at + timedelta(milliseconds=2), random)


class TestTimes:
    """core.times."""

    @given(st.datetimes(timezones=st.timezones()))
    def test_an_instant_has_one_spelling(self, instant: datetime) -> None:
        """Written and read back it is the same instant, and texts sort as instants do."""
        try:
            text = times.write(instant)
        except OverflowError:  # year 1 or 9999 in a zone that UTC does not reach
            return
        assert (times.read(text), len(text)) == (instant.astimezone(UTC), 27)

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("2026-11-21T10:15:00Z", id="no microseconds"),
            pytest.param("2026-11-21T10:15:00.000000+00:00", id="offset"),
            pytest.param("2026-11-21 10:15:00.000000Z", id="blank"),
            pytest.param("2026-11-21T11:15:00.000000+01:00", id="another zone"),
            pytest.param("2026-11-21T10:15:00.000000", id="naive"),
            pytest.param("yesterday", id="no instant"),
        ],
    )
    def test_other_spellings_are_refused(self, text: str) -> None:
        """Only the stored spelling is read."""
        with pytest.raises(BadInput, match="RFC 3339"):
            times.read(text)

    def test_a_naive_instant_is_our_mistake(self) -> None:
        """Nothing naive is ever stored."""
        with pytest.raises(ValueError, match="aware"):
            times.write(datetime(2026, 1, 1))  # noqa: DTZ001


class TestCommits:
    """core.audit.commits."""

    @given(st.lists(LINES, min_size=1, max_size=64))
    def test_envelopes_survive_a_commit(self, envelopes: list[bytes]) -> None:
        """Packed and unpacked they are the same, and packing is reproducible."""
        body = commits.pack(envelopes)
        assert (commits.unpack(body), commits.pack(envelopes)) == (envelopes, body)

    @given(st.from_regex(r"[0-9a-f]{16}", fullmatch=True), st.integers(0, 10**10 - 1))
    def test_a_name_says_lane_and_sequence(self, lane: str, sequence: int) -> None:
        """It is read back, and the next sequence sorts behind it."""
        name = commits.name(lane, sequence)
        assert commits.parse_name(name) == (lane, sequence)
        assert sequence == 10**10 - 1 or name < commits.name(lane, sequence + 1)

    @pytest.mark.parametrize(
        "name",
        [
            "interlock-lane-0011223344556677",
            "interlock-lane-0011223344556677-1",
            "interlock-lane-001122334455667-0000000001",
            "interlock-lane-001122334455667X-0000000001",
            "xinterlock-lane-0011223344556677-0000000001",
            "interlock-lane-0011223344556677-0000000001\n",
        ],
    )
    def test_other_names_are_no_commits(self, name: str) -> None:
        """A name with anything more or less is refused."""
        with pytest.raises(BadInput, match="interlock-lane-LANE-SEQUENCE"):
            commits.parse_name(name)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"plain", id="not gzip"),
            pytest.param(commits.pack([b"a"])[:-1], id="cut short"),
            pytest.param(commits.pack([b"a"]) + b"x", id="followed by a byte"),
            pytest.param(commits.pack([b"a"]) * 2, id="two streams"),
            pytest.param(commits.pack([b"\0" * (commits.MAX_UNPACKED_BYTES + 1)]), id="a bomb"),
        ],
    )
    def test_other_bodies_are_refused(self, body: bytes) -> None:
        """Only one stream of acceptable size is unpacked."""
        with pytest.raises(BadInput, match="commit body"):
            commits.unpack(body)

    def test_records_are_read_for_display(self) -> None:
        """A commit that holds something else than records is refused there too."""
        with pytest.raises(BadInput, match="envelope"):
            list(commits.records(commits.pack([base64.b64encode(b"x")])))
