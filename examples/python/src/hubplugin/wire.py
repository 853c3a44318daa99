"""Protobuf to Python and back, for attributes that are text."""

from google.protobuf.duration_pb2 import Duration

from provhub.plugin.v1 import connector_pb2 as pb

from .answers import Failed, invalid


def duration(seconds):
    d = Duration()
    d.FromNanoseconds(int(seconds * 1e9))
    return d


def seconds(message, field, default):
    """The duration in a field, default when it is not set."""
    return getattr(message, field).ToNanoseconds() / 1e9 if message.HasField(field) else default


def texts(attribute, values):
    """The values of one attribute as a list of str."""
    for v in values:
        if v.WhichOneof("kind") != "string":
            raise invalid(attribute, f"attribute {attribute} takes text")
    return [v.string for v in values]


def values(*items):
    return [pb.Value(string=s) for s in items]


def error(failed, journal):
    """A Failed as it goes to the hub, without secrets."""
    e = pb.Error(code=failed.code, message=journal.redact(failed.message), detail=journal.redact(failed.detail),
                 native_code=failed.native_code, attributes=failed.attributes, conflicting=failed.conflicting)
    if failed.retry_after > 0:
        e.retry_after.CopyFrom(duration(failed.retry_after))
    return e


def as_failed(exception):
    """Any exception as a Failed; one that is not known is a defect of the plugin."""
    if isinstance(exception, Failed):
        return exception
    return Failed(pb.ERROR_CODE_INTERNAL, f"the connector broke off: {type(exception).__name__}; its log has the trace")


def diagnostics(found, journal):
    return [pb.Diagnostic(severity=pb.SEVERITY_ERROR, path=path, summary=journal.redact(summary), detail=journal.redact(detail))
            for path, summary, detail in found]
