"""Reads exports with the libraries of the tools that they are for.

The folder given has stix.json, threatexchange.json and the MISP feed misp/. Prints one JSON object per library: what it
read. Anything that a library refuses is an exception.
"""

import datetime
import hashlib
import json
import pathlib
import sys
import warnings

import stix2
from misp_stix_converter import ExternalSTIX2toMISPParser, MISPtoSTIX21Parser
from pymisp import MISPEvent
from stix2validator import ValidationOptions, validate_file
from threatexchange.exchanges.clients.fb_threatexchange.descriptor import ThreatDescriptor
from threatexchange.exchanges.clients.fb_threatexchange.threat_updates import ThreatUpdateJSON
from threatexchange.exchanges.impl.fb_threatexchange_api import (
    FBThreatExchangeCollabConfig,
    FBThreatExchangeIndicatorRecord,
    FBThreatExchangeSignalExchangeAPI,
)
from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.url import URLSignal

APP = 1


def report(library: str, **fields):
    print(json.dumps({"library": library, **fields}), flush=True)


def read_stix(path: pathlib.Path):
    result = validate_file(str(path), ValidationOptions(version="2.1", strict=True))
    results = result.object_results
    report(
        "stix2-validator",
        valid=result.is_valid,
        errors=[str(error) for each in results for error in each.errors or []],
        warnings=[str(warning) for each in results for warning in each.warnings or []],
    )
    bundle = stix2.parse(path.read_text(), allow_custom=True)
    kinds = [each.type for each in bundle.objects]
    report("stix2", types={kind: kinds.count(kind) for kind in sorted(set(kinds))})
    parser = ExternalSTIX2toMISPParser()
    parser.load_stix_bundle(bundle)
    parser.parse_stix_bundle(single_event=True)
    report("misp-stix from STIX", errors=parser.errors, attributes=values_of(parser.misp_event))


def values_of(event: MISPEvent):
    objects = [attribute for each in event.objects for attribute in each.attributes]
    return sorted(attribute.value for attribute in event.attributes + objects)


def read_misp(folder: pathlib.Path):
    manifest = json.loads((folder / "manifest.json").read_text())
    hashes = set((folder / "hashes.csv").read_text().splitlines())
    events, attributes = [], []
    for path in sorted(folder.glob("*-*.json")):
        event = MISPEvent(strict_validation=True)
        event.load_file(path)
        # As pymisp itself would describe the event in a feed.
        own, theirs = manifest.pop(event.uuid), event.manifest[event.uuid]
        for name in ["info", "date", "Orgc", "timestamp"]:
            assert str(own[name]) == str(theirs[name]), (name, own[name], theirs[name])
        assert [tag["name"] for tag in own["Tag"]] == [tag["name"] for tag in theirs["Tag"]]
        for value in event.attributes_hashes("md5"):
            hashes.remove(f"{value},{event.uuid}")
        assert len(event.to_feed()["Event"]["Attribute"]) == len(event.attributes)
        events.append(event)
        attributes += event.attributes
    assert not manifest and not hashes, (manifest, hashes)
    for attribute in attributes:
        allowed = attribute.describe_types["category_type_mappings"][attribute.category]
        assert attribute.type in allowed, (attribute.category, attribute.type)
    report(
        "pymisp",
        events=len(events),
        attributes=sorted(f"{attribute.type} {attribute.value}" for attribute in attributes),
        tags=sorted({tag.name for event in events for tag in event.tags}),
        distributions=sorted({int(event.distribution) for event in events}),
    )
    errors, patterns = [], 0
    for event in events:
        parser = MISPtoSTIX21Parser()
        parser.parse_misp_event(event)
        errors += [str(error) for error in parser.errors.values()]
        patterns += sum(each.type == "indicator" for each in parser.bundle.objects)
    report("misp-stix to STIX", errors=errors, indicators=patterns)


def read_threatexchange(path: pathlib.Path):
    descriptors = json.loads(path.read_text())["data"]
    fetched = {}
    for each in descriptors:
        descriptor = ThreatDescriptor.from_te_json(APP, each)
        datetime.datetime.strptime(descriptor.added_on, "%Y-%m-%dT%H:%M:%S%z")
        key = descriptor.indicator_type, descriptor.raw_indicator
        update = ThreatUpdateJSON({"should_delete": False, "descriptors": {"data": [each]}})
        record = FBThreatExchangeIndicatorRecord.from_threatexchange_json(APP, update)
        assert record is not None and record.opinions[0].owner_app_id == descriptor.owner_id
        fetched[key] = record
    config = FBThreatExchangeCollabConfig(name="tipoff", privacy_group=1)
    signals = FBThreatExchangeSignalExchangeAPI.naive_convert_to_signal_type([PdqSignal, URLSignal], config, fetched)
    for signal in signals.get(PdqSignal, {}):
        PdqSignal.validate_signal_str(signal)
    report(
        "threatexchange",
        descriptors=sorted(f"{kind} {value}" for kind, value in fetched),
        opinions=sorted({opinion.category.name for record in fetched.values() for opinion in record.opinions}),
        pdq=sorted(signals.get(PdqSignal, {})),
        urls=sorted(signals.get(URLSignal, {})),
    )


def main():
    warnings.simplefilter("ignore")
    folder = pathlib.Path(sys.argv[1])
    read_stix(folder / "stix.json")
    read_misp(folder / "misp")
    read_threatexchange(folder / "threatexchange.json")


if __name__ == "__main__":
    main()
