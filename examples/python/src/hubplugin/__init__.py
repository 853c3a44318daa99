"""What every plugin of provhub in Python needs: the process, the service, the stream.

    launch   how the hub starts a plugin: handshake, mutual TLS, lifeline
    service  the calls of schemas/proto/provhub/plugin/v1/connector.proto
    engine   carries out operations: order, parallelism, time limits
    answers  what a connector's method may return or raise
    wire     protobuf to Python and back
    config   finds all faults of a config at once
    journal  log lines that the hub reads, without secrets
"""
