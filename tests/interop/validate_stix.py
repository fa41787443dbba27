"""Validates STIX bundles with the validator of OASIS.

Prints one JSON line per file: whether it is valid, the errors and the warnings. Warnings are the SHOULDs of the
standard, and count as errors.
"""

import json
import sys

from stix2validator import ValidationOptions, validate_file


def main():
    options = ValidationOptions(version="2.1", strict=True)
    for path in sys.argv[1:]:
        result = validate_file(path, options)
        errors = [str(one) for each in result.object_results for one in each.errors or []]
        warnings = [str(one) for each in result.object_results for one in each.warnings or []]
        print(json.dumps({"file": path, "valid": result.is_valid, "errors": errors, "warnings": warnings}))


if __name__ == "__main__":
    main()
