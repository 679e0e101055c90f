"""Writes numbering.txt, line_types.txt and countries.txt, which are beside this file, from Google's libphonenumber.

    pip install phonenumbers==9.0.43
    python numbering.py

What changes is to be reviewed. With --check, nothing is written; it fails if a file is outdated (a check of `cargo stack check`).
"""

import pathlib
import sys

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE as REGIONS
from phonenumbers import PhoneMetadata

WORLD = "001"

# Of these, a message's receiver is not asked for: nobody writes to pagers and voice mail.
UNCOUNTED = (0, 6, 8)


def plan(code, region):
    """The plan of a region of a calling code."""
    if region == WORLD:
        return PhoneMetadata.metadata_for_nongeo_region(code)
    return PhoneMetadata.metadata_for_region(region)


def plans():
    """All calling codes with the plans of their regions, the main one first."""
    for code in sorted(REGIONS):
        for region in REGIONS[code]:
            yield code, region, plan(code, region)


def mains():
    """All calling codes with their main regions."""
    return ((code, REGIONS[code][0], plan(code, REGIONS[code][0])) for code in sorted(REGIONS))


def groups():
    """How numbers are written: how they begin, their groups, and what stands between these."""
    for code, _, main in mains():
        formats = main.intl_number_format or main.number_format
        if not formats:
            yield str(code)
        for known in formats:
            begins = known.leading_digits_pattern[-1] if known.leading_digits_pattern else ""
            written = known.format.replace("\\", "$")
            yield f"{code}\t{begins}\t{known.pattern}\t{written}"


def kinds(own):
    """All numbers of a plan, and the kinds of them: their lengths and patterns."""
    every = own.general_desc
    further = (
        own.premium_rate,
        own.toll_free,
        own.shared_cost,
        own.voip,
        own.personal_number,
        own.pager,
        own.uan,
        own.voicemail,
        own.fixed_line,
        own.mobile,
    )
    for kind in (every, *further):
        pattern = kind.national_number_pattern if kind else None
        # Where a kind has the lengths of all numbers, it names none.
        yield (tuple(kind.possible_length or every.possible_length), pattern) if pattern else None


def line_types():
    """The plans of all regions."""
    for code, _, own in plans():
        known = list(kinds(own))
        counted = [kind for place, kind in enumerate(known) if kind and place not in UNCOUNTED]
        lengths = [length for kind in counted for length in kind[0]] or [0]
        texts = []
        for place, kind in enumerate(known):
            named = ",".join(map(str, kind[0])) if kind and place else ""
            texts.append(f"{named}:{kind[1]}" if kind else "")
        begins = own.leading_digits or ""
        yield "\t".join([str(code), begins, str(min(lengths)), str(max(lengths)), *texts])


def countries():
    """Main countries, and those of area codes that are another country's."""
    lines = {f"{code}\t{region}" for code, region, _ in mains() if region != WORLD}
    # The first digits of Kazakhstan's numbers, by its plan, and area codes of Canada that have no numbers yet.
    lines |= {"76\tKZ", "77\tKZ", "1387\tCA", "1460\tCA", "1537\tCA", "1568\tCA"}
    for area in range(200, 1000):
        for exchange in range(200, 1000, 8):
            number = phonenumbers.PhoneNumber(country_code=1, national_number=int(f"{area}{exchange}1234"))
            region = phonenumbers.region_code_for_number(number)
            if region and region != "US":
                lines.add(f"1{area}\t{region}")
                break
    return sorted(lines)


def main():
    """Writes the files, or says which ones are outdated."""
    folder = pathlib.Path(__file__).parent
    outdated = []
    for name, lines in (("numbering", groups()), ("line_types", line_types()), ("countries", countries())):
        file = folder / f"{name}.txt"
        text = "".join(f"{line}\n" for line in lines)
        if file.read_text("utf-8") != text:
            outdated.append(file.name)
            if "--check" not in sys.argv:
                file.write_text(text, "utf-8")
    if outdated and "--check" in sys.argv:
        sys.exit(f"outdated, run {pathlib.Path(__file__).name}: {', '.join(outdated)}")
    print(*outdated)


main()
