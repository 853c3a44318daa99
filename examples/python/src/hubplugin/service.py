"""The calls of the protocol, for any connector class (see connector.py for what one has)."""

import concurrent.futures
import hashlib
import json
import resource
import threading
import traceback

import grpc

from provhub.plugin.v1 import connector_pb2 as pb
from provhub.plugin.v1 import connector_pb2_grpc as rpc

from . import config as configs
from . import wire
from .engine import Engine, Outbox
from .journal import Journal

MAX_RESULTS = 100  # of one message


class Instance:
    """One configured target."""

    def __init__(self, instance_id, limit):
        self.journal = Journal(instance_id)
        self.engine = Engine(self.journal, limit)
        self.config, self.secrets, self.target = {}, {}, None


class Service(rpc.ConnectorServiceServicer):
    def __init__(self, connector):
        self.connector = connector
        self.lock = threading.Lock()
        self.instances = {}
        self.draining = False

    # --- identity and configuration

    def Describe(self, request, context):
        c = self.connector
        return pb.DescribeResponse(
            type=c.TYPE, display_name=c.DISPLAY_NAME, version=c.VERSION, sdk_version="python-example",
            config_schema_json=json.dumps(c.CONFIG, sort_keys=True).encode(), config_schema_version=1, secrets=c.SECRETS,
            capabilities=pb.Capabilities(idempotency=c.CAPABILITIES.idempotency, max_in_flight=c.CAPABILITIES.max_in_flight))

    def ValidateConfig(self, request, context):
        return pb.ValidateConfigResponse(diagnostics=wire.diagnostics(self._findings(request.config_json, request.secret_names), Journal()))

    def _findings(self, raw, secret_names):
        found = configs.findings(self.connector.CONFIG, raw, self.connector.SECRETS, secret_names)
        return found or self.connector.validate(configs.with_defaults(self.connector.CONFIG, raw))

    def UpgradeConfig(self, request, context):
        return pb.UpgradeConfigResponse(config_json=request.config_json)  # there is one version so far

    def Configure(self, request, context):
        secrets = {s.name: s.value.decode() for s in request.secrets}
        with self.lock:
            if self.draining:
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the plugin is draining and takes no new instance")
            instance = self.instances.get(request.instance_id) or Instance(request.instance_id, self.connector.CAPABILITIES.max_in_flight)
        instance.journal.know(secrets)
        found = self._findings(request.config_json, list(secrets))
        if found:
            return pb.ConfigureResponse(diagnostics=wire.diagnostics(found, instance.journal))
        old = instance.target
        instance.config, instance.secrets = configs.with_defaults(self.connector.CONFIG, request.config_json), secrets
        instance.target = self.connector(instance.config, secrets, instance.journal)
        instance.engine.perform = instance.target.perform
        with self.lock:
            self.instances[request.instance_id] = instance
        if old is not None:
            old.close()
        return pb.ConfigureResponse(capabilities=self.connector.CAPABILITIES)

    def RotateSecrets(self, request, context):
        instance = self._instance(request, context)
        fresh = {s.name: s.value.decode() for s in request.secrets}
        instance.journal.know(fresh)
        instance.secrets.update(fresh)
        instance.target.rotate(instance.secrets)
        return pb.RotateSecretsResponse()

    def Release(self, request, context):
        with self.lock:
            instance = self.instances.pop(request.instance_id, None)
        if instance is not None:
            instance.engine.stop()
            instance.target.close()
        return pb.ReleaseResponse()

    def _instance(self, request, context):
        with self.lock:
            instance = self.instances.get(request.instance_id)
        if instance is None:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"instance {request.instance_id!r} is not configured; call Configure first")
        return instance

    def _guarded(self, instance, what, call):
        """Returns what call returns and None, or None and the error for the hub."""
        try:
            return call(), None
        except Exception as e:
            failed = wire.as_failed(e)
            if failed is not e:
                instance.journal.write("error", f"{what} broke off", trace=traceback.format_exc())
            return None, wire.error(failed, instance.journal)

    # --- reading

    def Check(self, request, context):
        instance = self._instance(request, context)
        product, error = self._guarded(instance, "Check", instance.target.check)
        item = pb.CheckItem(name="connect", status=pb.CHECK_STATUS_PASS)
        if error is not None:
            item = pb.CheckItem(name="connect", status=pb.CHECK_STATUS_FAIL, message=error.message, error=error)
        return pb.CheckResponse(items=[item], target_product=product or "")

    def DiscoverSchema(self, request, context):
        self._instance(request, context)
        types = self.connector.SCHEMA
        etag = hashlib.sha256(b"".join(t.SerializeToString(deterministic=True) for t in types)).hexdigest()[:16]
        return pb.DiscoverSchemaResponse(object_types=types, etag=etag)

    def Get(self, request, context):
        instance = self._instance(request, context)
        obj, error = self._guarded(instance, "Get", lambda: instance.target.get(request.ref))
        return pb.GetResponse(object=obj, error=error)

    def List(self, request, context):
        instance = self._instance(request, context)
        pages = instance.target.list(request.object_type, request.page_size, request.page_token)
        while True:
            page, error = self._guarded(instance, "List", lambda: next(pages, None))
            if page is None:
                # Only a listing that came to its end says that who is not in it is not there.
                yield pb.ListResponse(last=True, complete=error is None, error=error)
                return
            yield pb.ListResponse(objects=page)

    # --- writing

    def Apply(self, requests, context):
        first = next(requests, None)
        if first is None or not first.HasField("open"):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first message of an Apply stream opens an instance")
        instance = self._instance(first.open, context)
        outbox = Outbox()

        def receive():
            try:
                for message in requests:
                    if message.HasField("cancel"):
                        instance.engine.cancel(message.cancel.operation_id, outbox)
                    for op in message.batch.operations:
                        instance.engine.submit(op, outbox)
            except grpc.RpcError:
                pass  # the hub is gone; what it has not read it takes for unknown
            outbox.close()

        threading.Thread(target=receive, daemon=True).start()
        result = outbox.results.get()
        while result is not None:
            batch = [result]
            while len(batch) < MAX_RESULTS and not outbox.results.empty():
                batch.append(outbox.results.get())
            end = batch[-1] is None
            yield pb.ApplyResponse(batch=pb.ResultBatch(results=[r for r in batch if r is not None]))
            result = None if end else outbox.results.get()

    # --- process

    def Health(self, request, context):
        with self.lock:
            instances = dict(self.instances)
        return pb.HealthResponse(
            serving=not self.draining, goroutines=threading.active_count(), heap_bytes=resident(),
            in_flight=sum(i.engine.in_flight for i in instances.values()),
            instances=[pb.InstanceHealth(instance_id=n, in_flight=i.engine.in_flight, last_error=i.engine.last_error) for n, i in instances.items()])

    def Drain(self, request, context):
        with self.lock:
            instances = list(self.instances.values())
            for i in instances:  # before Health says so
                i.engine.refuse()
            self.draining = True
        grace = wire.seconds(request, "grace", 10)
        return pb.DrainResponse(unanswered_operation_ids=[op for i in instances for op in i.engine.drain(grace)])

    def Events(self, request, context):
        gone = threading.Event()  # this plugin has no notices; the stream lasts as long as the hub
        context.add_callback(gone.set)
        gone.wait()
        return iter(())


def resident():
    """The memory that the process holds now, in bytes."""
    try:
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def new_server(connector, max_message):
    """Returns the gRPC server, and the event that is set when the hub asks it to end."""
    ended = threading.Event()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(64), options=[
        ("grpc.max_receive_message_length", max_message), ("grpc.max_send_message_length", max_message)])
    rpc.add_ConnectorServiceServicer_to_server(Service(connector), server)

    def call(answer):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: answer(), bytes, bytes)

    def shutdown():
        ended.set()
        return b""  # plugin.Empty

    server.add_generic_rpc_handlers((
        # grpc.health.v1: HealthCheckResponse{status: SERVING}, whatever service is asked for.
        grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": call(lambda: b"\x08\x01")}),
        # go-plugin's way to ask a plugin to exit.
        grpc.method_handlers_generic_handler("plugin.GRPCController", {"Shutdown": call(shutdown)}),
    ))
    return server, ended
