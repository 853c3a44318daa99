"""The connector: users of a small JSON API.

The same target as `provhub plugin new --kind http` begins with, so that the two
can be compared line by line.
"""

import urllib.parse

from api import API
from hubplugin import wire
from hubplugin.answers import Adopted, Failed, Unchanged, invalid
from provhub.plugin.v1 import connector_pb2 as pb


def _text(name, **more):
    more = {"creatable": True, "updatable": True, "readable": True, "returned_by_default": True, **more}
    return pb.AttributeSpec(name=name, type=pb.VALUE_TYPE_STRING, **more)


ATTRIBUTES = {a.name: a for a in (
    _text("userName", required_on_create=True, unique=True, max_length=100, description="Login name"),
    _text("externalId", unique=True, case_exact=True, description="What ties the account to the person"),
    _text("displayName", case_exact=True),
    _text("mail"),
)}
CORRELATION = ("externalId", "userName")  # the one that is this person's for certain comes first


class JSONAPI:
    TYPE, DISPLAY_NAME, VERSION = "jsonapi", "JSON API (Python example)", "0.1.0"
    CONFIG = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object", "additionalProperties": False, "required": ["base_url"],
        "properties": {
            "base_url": {"type": "string", "x-endpoint": True, "description": "Address of the API, such as https://api.example.com/v1"},
            "page_size": {"type": "integer", "default": 200, "description": "Accounts asked for at a time when listing"},
        },
    }
    SECRETS = [pb.SecretSpec(name="token", description="API token of the service account", required=True, rotatable=True)]
    CAPABILITIES = pb.Capabilities(
        operations=[pb.OPERATION_KIND_CREATE, pb.OPERATION_KIND_UPDATE, pb.OPERATION_KIND_ENABLE, pb.OPERATION_KIND_DISABLE, pb.OPERATION_KIND_DELETE],
        # userName is unique, so making an account twice is noticed.
        idempotency=pb.IDEMPOTENCY_NATURAL, get=True, list=True, changes=pb.CHANGES_SUPPORT_NONE, max_in_flight=8, rotate=True)
    SCHEMA = [pb.ObjectType(name="user", kind=pb.OBJECT_KIND_ACCOUNT, attributes=ATTRIBUTES.values(), correlation_attributes=CORRELATION,
                            disable_semantics="sets active to false; the login is refused")]

    @staticmethod
    def validate(config):
        """Finds offline what the schema cannot: (path, summary, detail) for each fault."""
        url = urllib.parse.urlsplit(config["base_url"])
        if url.scheme not in ("http", "https") or not url.hostname:
            return [("/base_url", "is not the address of an API", "for example https://api.example.com/v1")]
        return []

    def __init__(self, config, secrets, journal):
        self.api, self.page_size = API(config["base_url"]), config["page_size"]
        self.token, self.journal = secrets["token"], journal

    def rotate(self, secrets):
        self.token = secrets["token"]

    def close(self):
        self.api.close()

    def check(self):
        """Proves that the API can be used, changes nothing; returns the product's name."""
        return (self._call("GET", "/me") or {}).get("product", "")

    # --- reading

    def get(self, ref):
        return to_object(self._find(ref))

    def list(self, object_type, page_size, page_token):
        """Yields pages: lists of objects."""
        if object_type != "user" or page_token:
            raise Failed(pb.ERROR_CODE_INVALID_VALUE, "there is no such object type or page")
        size, after = page_size or self.page_size, ""
        while True:
            users = self._call("GET", "/users", query={"after": after or "0", "limit": size})["users"]
            yield [to_object(u) for u in users]
            if len(users) < size:
                return
            after = users[-1]["id"]

    # --- writing

    def perform(self, op, deadline):
        """Carries out one operation; returns the object that it made, if any."""
        if op.dry_run:
            raise Failed(pb.ERROR_CODE_UNSUPPORTED, "this connector cannot say what it would do")
        action = op.WhichOneof("action")
        method = {"create": self._create, "update": self._update, "set_enabled": self._set_enabled, "delete": self._delete}.get(action)
        if method is None:
            raise Failed(pb.ERROR_CODE_UNSUPPORTED, f"this connector cannot {action}")
        self.journal.write("debug", action, operation_id=op.operation_id)
        return method(op, getattr(op, action), deadline)

    def _create(self, op, create, deadline):
        if create.object_type != "user":
            raise Failed(pb.ERROR_CODE_INVALID_VALUE, f"there is no object type {create.object_type!r}")
        user = {a.name: single(a.name, wire.texts(a.name, a.values)) for a in create.attributes}
        if not user.get("userName"):
            raise invalid("userName", "attribute userName is required")
        if create.adopt_existing or op.maybe_applied:
            there = self._by(create.correlation_attribute, create.correlation_value, deadline)
            if there is not None:
                raise Adopted(to_object(there))
        user["active"] = create.enabled != pb.ENABLED_STATE_DISABLED
        try:
            return to_object(self._call("POST", "/users", body=user, key=op.idempotency_key, deadline=deadline))
        except Failed as f:
            if f.code == pb.ERROR_CODE_ALREADY_EXISTS:
                self._name_conflict(f, user, deadline)
            raise

    def _name_conflict(self, failed, user, deadline):
        """Says what is in the way of a create, as far as it can be found."""
        for name in CORRELATION:
            there = self._by(name, user.get(name, ""), deadline)
            if there is not None:
                failed.message, failed.attributes, failed.conflicting = f"another account has this {name}", [name], to_object(there).ref
                return

    def _update(self, op, update, deadline):
        now = self._find(update.target, deadline)
        body = {}
        for change in update.changes:
            before = [now[change.name]] if now.get(change.name) else []
            after = changed(change, before)
            value = single(change.name, after)
            if change.name == "userName" and not value:
                raise invalid("userName", "attribute userName is required")
            if after != before:
                body[change.name] = value
        if not body:
            raise Unchanged
        self._patch(op, now, body, deadline)

    def _set_enabled(self, op, action, deadline):
        now = self._find(action.target, deadline)
        if now["active"] == action.enabled:
            raise Unchanged
        self._patch(op, now, {"active": action.enabled}, deadline)

    def _delete(self, op, delete, deadline):
        try:
            now = self._find(delete.target, deadline)
            self._call("DELETE", f"/users/{quoted(now['id'])}", key=op.idempotency_key, deadline=deadline)
        except Failed as f:
            if f.code == pb.ERROR_CODE_NOT_FOUND:
                raise Unchanged from f
            raise

    # --- the API

    def _call(self, method, path, **more):
        return self.api.call(self.token, method, path, **more)

    def _patch(self, op, user, body, deadline):
        self._call("PATCH", f"/users/{quoted(user['id'])}", body=body, key=op.idempotency_key, deadline=deadline)

    def _find(self, ref, deadline=None):
        """Reads the account that ref names by id, else by what it is known by."""
        if ref.id:
            return self._call("GET", f"/users/{quoted(ref.id)}", deadline=deadline)
        there = self._by(ref.correlation_attribute, ref.correlation_value, deadline)
        if there is None:
            raise Failed(pb.ERROR_CODE_NOT_FOUND, "there is no such account")
        return there

    def _by(self, name, value, deadline=None):
        """Looks an account up, None when there is none."""
        if not name or not value:
            return None
        users = self._call("GET", "/users", query={name: value}, deadline=deadline)["users"]
        if len(users) > 1:
            raise Failed(pb.ERROR_CODE_AMBIGUOUS, f"several accounts have this {name}")
        return users[0] if users else None


def to_object(user):
    return pb.Object(
        ref=pb.ObjectRef(object_type="user", id=user["id"], name=user["userName"]),
        attributes=[pb.Attribute(name=n, values=wire.values(user[n])) for n in ATTRIBUTES if user.get(n)],
        enabled=pb.ENABLED_STATE_ENABLED if user["active"] else pb.ENABLED_STATE_DISABLED)


def changed(change, before):
    """What an attribute that holds before holds after a change."""
    if change.mode == pb.CHANGE_MODE_REPLACE:
        return wire.texts(change.name, change.values)
    if change.mode != pb.CHANGE_MODE_MODIFY:  # guessing could wipe what is there
        raise Failed(pb.ERROR_CODE_INVALID_VALUE, "this change mode is not known")
    gone = wire.texts(change.name, change.remove)
    kept = [v for v in before if v not in gone]
    return kept + [v for v in wire.texts(change.name, change.values) if v not in kept]


def single(name, values):
    """The one value of an attribute, None when it has none."""
    spec = ATTRIBUTES.get(name)
    if spec is None:
        raise invalid(name, f"a user has no attribute {name}")
    if len(values) > 1:
        raise invalid(name, f"attribute {name} takes one value")
    if values and 0 < spec.max_length < len(values[0]):
        raise invalid(name, f"attribute {name} takes {spec.max_length} characters")
    return values[0] if values else None


def quoted(part):
    return urllib.parse.quote(part, safe="")
