"""What a connector's method may raise.

A method that returns has taken effect. Otherwise it raises one of these; any
other exception leaves the outcome unknown, and the hub looks before it goes on.
"""

from provhub.plugin.v1 import connector_pb2 as pb


class Failed(Exception):
    """Nothing took effect. The code decides what the hub does (see ErrorCode in the protocol).

    The message is for the operator and holds no secret and no attribute value;
    detail is the target's own text, for the debug log.
    """

    def __init__(self, code, message, *, detail="", native_code="", retry_after=0, attributes=(), conflicting=None):
        super().__init__(message)
        self.code, self.message, self.detail, self.native_code = code, message, detail, native_code
        self.retry_after, self.attributes, self.conflicting = retry_after, list(attributes), conflicting


class Unknown(Exception):
    """The write may or may not have taken effect, because of a Failed."""

    def __init__(self, cause):
        super().__init__(cause.message)
        self.cause = cause


class Unchanged(Exception):
    """The target was as wanted already: success."""


class Adopted(Exception):
    """A create took over the object that was there: success."""

    def __init__(self, obj):
        super().__init__("adopted")
        self.obj = obj


def invalid(attribute, message):
    """The target cannot hold this value."""
    return Failed(pb.ERROR_CODE_INVALID_VALUE, message, attributes=[attribute])
