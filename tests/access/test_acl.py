"""Access control lists: written in three ways, kept in one, and read back the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meiku import errors
from meiku.access.acl import (
    ALL_USERS,
    AUTHENTICATED_USERS,
    GROUPS,
    PERMISSIONS,
    Acl,
    Grant,
    Grantee,
    acl_from_json,
    canned_acl,
    document_of,
    group_grant,
    private,
    read_acl_document,
    read_grant_header,
    user_ids_in,
)

OWN = Grant("FULL_CONTROL", user_id="me")
GRANTS = st.builds(Grant, st.sampled_from(PERMISSIONS), st.text(), st.none()) | st.builds(
    Grant, st.sampled_from(PERMISSIONS), st.none(), st.sampled_from(GROUPS)
)


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("private", ()),
        ("public-read", (Grant("READ", group=ALL_USERS),)),
        ("public-read-write", (Grant("READ", group=ALL_USERS), Grant("WRITE", group=ALL_USERS))),
        ("authenticated-read", (Grant("READ", group=AUTHENTICATED_USERS),)),
        ("bucket-owner-read", (Grant("READ", user_id="host"),)),
        ("bucket-owner-full-control", (Grant("FULL_CONTROL", user_id="host"),)),
    ],
)
def test_every_canned_name_keeps_its_owner(name: str, extra: tuple[Grant, ...]) -> None:
    """The owner has full control, then comes what the name adds."""
    assert canned_acl(name, "me", "host") == Acl("me", (OWN, *extra))


def test_a_grant_to_oneself_is_not_repeated() -> None:
    """In one's own bucket the bucket owner's grants add nothing."""
    for name in ("bucket-owner-read", "bucket-owner-full-control"):
        assert canned_acl(name, "me", "me") == private("me")


def test_an_unknown_name_is_refused() -> None:
    """Only S3's names stand for something."""
    with pytest.raises(errors.InvalidArgument, match="public-read"):
        canned_acl("Public-Read", "me", "me")


@given(st.text(), st.lists(GRANTS, max_size=5))
def test_a_list_is_kept_as_it_is(owner_id: str, grants: list[Grant]) -> None:
    """What was kept is what is read back."""
    acl = Acl(owner_id, tuple(grants))
    assert acl_from_json(acl.to_json()) == acl


def test_a_grant_header_names_several() -> None:
    """Quotes and spaces mean nothing, kinds are known in any case."""
    text = 'id="1", emailAddress=a@b.c ,URI="http://g"'
    assert read_grant_header("READ", text) == [
        ("READ", Grantee("id", "1")),
        ("READ", Grantee("emailaddress", "a@b.c")),
        ("READ", Grantee("uri", "http://g")),
    ]


@pytest.mark.parametrize("text", ["", "me", "name=me", 'id="1",', "id"])
def test_a_grant_header_that_is_none(text: str) -> None:
    """What names nobody is InvalidArgument and names the header."""
    with pytest.raises(errors.InvalidArgument) as caught:
        read_grant_header("READ_ACP", text)
    assert caught.value.detail["ArgumentName"] == "x-amz-grant-read-acp"


def test_a_document_is_read() -> None:
    """Owner and grants are taken from where the model puts them."""
    grants = [{"Grantee": {"Type": "CanonicalUser", "ID": "1", "DisplayName": "n"}, "Permission": "READ"}]
    assert read_acl_document({"Owner": {"ID": "me"}, "Grants": grants}) == (
        "me",
        [("READ", Grantee("id", "1"))],
    )


@pytest.mark.parametrize(
    "document", [{}, {"Grants": []}, {"Owner": {}, "Grants": []}, {"Owner": {"ID": "me"}}]
)
def test_a_document_has_an_owner_and_a_list(document: dict[str, Any]) -> None:
    """Without one of them it is malformed."""
    with pytest.raises(errors.MalformedACLError):
        read_acl_document(document)


USER = {"Type": "CanonicalUser", "ID": "1"}


@pytest.mark.parametrize(
    "grant",
    [
        {},
        {"Permission": "READ"},
        {"Grantee": USER},
        {"Grantee": USER, "Permission": "ALL"},
        {"Grantee": {"ID": "1"}, "Permission": "READ"},
        {"Grantee": USER | {"URI": "u"}, "Permission": "READ"},
        {"Grantee": USER | {"Type": "Group"}, "Permission": "READ"},
        {"Grantee": {"Type": "Group"}, "Permission": "READ"},
    ],
)
def test_a_grant_that_is_half_a_grant(grant: dict[str, Any]) -> None:
    """A grant has one permission and one grantee."""
    with pytest.raises(errors.MalformedACLError):
        read_acl_document({"Owner": {"ID": "me"}, "Grants": [grant]})


def test_a_list_has_a_longest() -> None:
    """100 grants are taken, 101 are not."""
    grant, owner = {"Grantee": {"Type": "CanonicalUser", "ID": "1"}, "Permission": "READ"}, {"ID": "me"}
    assert len(read_acl_document({"Owner": owner, "Grants": [grant] * 100})[1]) == 100
    with pytest.raises(errors.MalformedACLError):
        read_acl_document({"Owner": owner, "Grants": [grant] * 101})


def test_groups_are_s3s() -> None:
    """A group that S3 does not have is refused, or nobody would be in it."""
    assert group_grant("READ", ALL_USERS) == Grant("READ", group=ALL_USERS)
    with pytest.raises(errors.InvalidArgument):
        group_grant("READ", ALL_USERS.lower())


def test_a_list_is_shown_with_names() -> None:
    """Users have their name beside their id, groups their URI; no member is empty that S3 fills."""
    acl = canned_acl("public-read", "me", "me")
    shown = document_of(acl, {"me": "Mei"})
    assert shown["Owner"] == {"DisplayName": "Mei", "ID": "me"}
    assert [grant["Grantee"] for grant in shown["Grants"]] == [
        {"Type": "Group", "URI": ALL_USERS},
        {"Type": "CanonicalUser", "DisplayName": "Mei", "ID": "me"},
    ]


def test_what_is_shown_can_be_read() -> None:
    """A document that was told may be sent back."""
    acl = canned_acl("bucket-owner-read", "me", "host")
    owner_id, grants = read_acl_document(document_of(acl, {}))
    assert owner_id == "me"
    assert [(permission, grantee.value) for permission, grantee in grants] == [
        ("FULL_CONTROL", "me"),
        ("READ", "host"),
    ]


def test_all_users_of_lists_are_found() -> None:
    """Owners and grantees, each once, groups not at all."""
    acls = [canned_acl("bucket-owner-read", "me", "host"), canned_acl("public-read", "you", "you")]
    assert user_ids_in(acls) == {"me", "host", "you"}
