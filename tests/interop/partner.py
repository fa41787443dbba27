"""A partner's client in Python, generated from the .proto files only, with a client certificate.

Submits indicators, looks one up, and follows the feed. Prints the results as JSON lines.
"""

import argparse
import importlib
import json
import pathlib
import sys
import tempfile

import grpc
from grpc_tools import protoc


def stubs(proto: pathlib.Path):
    """Compiles the public protos. Uses no other file of the project."""
    out = tempfile.mkdtemp()
    files = sorted(str(path) for path in (proto / "tipoff" / "v1").glob("*.proto"))
    well_known = str(pathlib.Path(protoc.__file__).parent / "_proto")
    arguments = ["protoc", f"-I{proto}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}"]
    if protoc.main(arguments + files) != 0:
        sys.exit("the protos do not compile")
    sys.path.insert(0, out)
    return lambda name: importlib.import_module(f"tipoff.v1.{name}")


def channel(server: str, identity: pathlib.Path) -> grpc.Channel:
    read = lambda name: (identity / name).read_bytes()
    credentials = grpc.ssl_channel_credentials(read("ca.pem"), read("key.pem"), read("cert.pem"))
    return grpc.secure_channel(server, credentials)


def report(**fields):
    print(json.dumps(fields), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--identity", required=True, type=pathlib.Path)
    parser.add_argument("--proto", required=True, type=pathlib.Path)
    parser.add_argument("--items", required=True, type=int)
    arguments = parser.parse_args()

    module = stubs(arguments.proto)
    indicators = module("indicator_service_pb2")
    indicators_grpc = module("indicator_service_pb2_grpc")
    feeds = module("feed_service_pb2")
    feeds_grpc = module("feed_service_pb2_grpc")
    partners = module("partner_service_pb2")
    partners_grpc = module("partner_service_pb2_grpc")

    connection = channel(arguments.server, arguments.identity)
    me = partners_grpc.PartnerServiceStub(connection).WhoAmI(partners.WhoAmIRequest(), timeout=10)
    report(whoami=me.partner.id, groups=list(me.groups))

    service = indicators_grpc.IndicatorServiceStub(connection)
    batch = indicators.SubmissionBatch(number=1)
    batch.items.add(value="python[.]example")
    batch.items.add(value="https://python[.]example/path")
    batch.items.add(value="two words")
    request = indicators.SubmitIndicatorsRequest(submission_id="from-python", batch=batch)
    request.close.batches = 1
    receipt = service.SubmitIndicators(request, timeout=10).receipt
    statuses = [indicators.ItemStatus.Name(item.status) for item in receipt.items]
    report(statuses=statuses, reason=receipt.items[2].reason, closed=receipt.closed)
    again = service.SubmitIndicators(request, timeout=10).receipt
    report(replayed=again.replayed, same=again.items == receipt.items)

    try:
        service.GetIndicator(indicators.GetIndicatorRequest(id="00000000-0000-0000-0000-000000000000"), timeout=10)
    except grpc.RpcError as error:
        report(refused=error.code().name)

    feed = feeds_grpc.FeedServiceStub(connection)
    follow = feeds.SubscribeRequest(from_start=feeds.FromStart())
    seen, cursor = 0, None
    stream = feed.Subscribe(follow)
    for message in stream:
        for item in message.items:
            report(author=item.author, value=item.indicator.value, version=[item.version.sequence, item.version.index])
            seen, cursor = seen + 1, item.cursor
        if seen >= arguments.items:
            break
    stream.cancel()

    report(resumable=len(cursor.token) > 0, seen=seen)


if __name__ == "__main__":
    main()
