"""Writes numbering.txt, line_types.txt, countries.txt and zones.txt, which are beside this file, from Google's libphonenumber, and time zones
of countries from the IANA database.

    pip install phonenumbers==9.0.43 tzdata==2026.6
    python numbering.py

What changes is to be reviewed. With --check, nothing is written; it fails if a file is outdated (a check of `cargo stack check`).
"""

import datetime
import importlib.resources
import pathlib
import sys
import zoneinfo

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE as REGIONS
from phonenumbers import PhoneMetadata
from phonenumbers.tzdata import TIMEZONE_DATA

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


# Main zones of countries with several, where most of the people live. Behind them, others that together with these have nine tenths of the
# people: messages to numbers that tell no place wait for the night there, too.
MAIN = {
    "AR": "America/Argentina/Buenos_Aires",
    # 92 % by ABS, September 2024; South Australia and the Northern Territory have clocks between these.
    "AU": "Australia/Sydney,Australia/Brisbane,Australia/Perth",
    # 93 % by IBGE, 2022.
    "BR": "America/Sao_Paulo",
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "FM": "Pacific/Pohnpei",
    "GL": "America/Nuuk",
    # 97 % by BPS, 2020.
    "ID": "Asia/Jakarta,Asia/Makassar",
    "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty",
    "MH": "Pacific/Majuro",
    "MN": "Asia/Ulaanbaatar",
    # 95 % by INEGI, 2020.
    "MX": "America/Mexico_City,America/Mazatlan",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby",
    "PS": "Asia/Hebron",
    "PT": "Europe/Lisbon",
    # 91 % by Rosstat's figures of 2023; Omsk has a clock between these.
    "RU": "Europe/Moscow,Europe/Samara,Asia/Yekaterinburg,Asia/Krasnoyarsk",
    "UA": "Europe/Kyiv",
    # 93 % by the Census Bureau's estimates of 2015; the Mountain states have a clock between these.
    "US": "America/Chicago,America/New_York,America/Los_Angeles",
    "UZ": "Asia/Tashkent",
    # In no table of zones.
    "AC": "Africa/Abidjan",
    "XK": "Europe/Belgrade",
}

# Codes of which all areas are listed, also those in the main zone.
LISTED = (1, 7, 52, 55, 61, 62)

# The most digits of an area.
AREA_LENGTH = 3

# Numbers that tell no place: mobiles and free numbers.
ANYWHERE = {7: ("80", "9"), 61: ("0", "1", "4", "5"), 62: ("0", "1", "8")}

# What libphonenumber has otherwise, by the numbering plans and the laws on time.
CORRECTED = {
    # Areas with several zones: where most of their people live, and who else is not few.
    1: {
        "208": "America/Boise,America/Los_Angeles",
        "219": "America/Chicago,America/New_York",
        "250": "America/Vancouver,America/Edmonton",
        "270": "America/Chicago,America/New_York",
        "308": "America/Chicago,America/Denver",
        "364": "America/Chicago,America/New_York",
        "418": "America/Toronto",
        "423": "America/New_York,America/Chicago",
        "448": "America/Chicago,America/New_York",
        "541": "America/Los_Angeles",
        "574": "America/New_York,America/Chicago",
        "605": "America/Chicago,America/Denver",
        "606": "America/New_York,America/Chicago",
        "620": "America/Chicago,America/Denver",
        "701": "America/Chicago,America/Denver",
        "709": "America/St_Johns,America/Halifax",
        "775": "America/Los_Angeles",
        "785": "America/Chicago,America/Denver",
        "807": "America/Toronto,America/Winnipeg",
        "812": "America/New_York,America/Chicago",
        "850": "America/Chicago,America/New_York",
        "867": "America/Edmonton,America/Toronto",
        "879": "America/St_Johns,America/Halifax",
        "906": "America/New_York,America/Chicago",
        "907": "America/Anchorage",
        "928": "America/Phoenix",
        "930": "America/New_York,America/Chicago",
        "986": "America/Boise,America/Los_Angeles",
    },
    # Kaliningrad and Saratov. All of Kazakhstan has one clock since March 2024.
    7: {"40": "Europe/Kaliningrad", "845": "Europe/Saratov", "6": "Asia/Almaty", "7": "Asia/Almaty"},
    # Chihuahua, which is in the central zone since October 2022, but for its border, and Tijuana's second area code.
    52: {
        area: "America/Chihuahua"
        for area in ("614", "621", "625", "627", "628", "629", "635", "636", "639", "648", "649", "652", "659")
    }
    | {"663": "America/Tijuana"},
    # Only the west is behind Brasilia.
    55: {str(first): "America/Sao_Paulo" for first in range(1, 10)}
    | {
        "65": "America/Cuiaba",
        "66": "America/Cuiaba",
        "67": "America/Campo_Grande",
        "68": "America/Rio_Branco",
        "69": "America/Porto_Velho",
        "92": "America/Manaus",
        "95": "America/Boa_Vista",
        "97": "America/Manaus",
    },
    61: {
        "2": "Australia/Sydney",
        "3": "Australia/Melbourne",
        "7": "Australia/Brisbane",
        "85": "Australia/Perth",
        "86": "Australia/Perth",
        "87": "Australia/Adelaide",
        "88": "Australia/Adelaide",
        "889": "Australia/Darwin",
        "89": "Australia/Perth",
    },
    # The Moluccas and New Guinea.
    62: {"9": "Asia/Jayapura"},
}

# Codes of which nothing is taken from libphonenumber but what is corrected.
BY_HAND = (55, 61)


def zone_of_regions():
    """The main zone of each region."""
    known = {}
    table = importlib.resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text("utf-8")
    for line in table.splitlines():
        if not line.startswith("#"):
            region, _, zone = line.split("\t")[:3]
            known.setdefault(region, []).append(zone)
    return {region: zones[0] for region, zones in known.items() if len(zones) == 1} | MAIN


def clock(zone):
    """How far a zone is ahead in a winter and a summer."""
    rules = zoneinfo.ZoneInfo(zone)
    return [datetime.datetime(2026, month, 15, tzinfo=rules).utcoffset() for month in (1, 7)]


def areas(code, main):
    """The areas of a code with their zones: all of them, or those with another clock than the main zone."""
    corrected = CORRECTED.get(code, {})
    known = dict(corrected)
    for prefix, names in sorted(TIMEZONE_DATA.items()):
        area = prefix.removeprefix(str(code))
        if code in BY_HAND or not prefix.startswith(str(code)) or not 0 < len(area) <= AREA_LENGTH or len(names) > 1:
            continue
        # What is corrected holds for all that begins so.
        beginnings = (area[:length] for length in range(1, len(area) + 1))
        if not any(beginning in corrected for beginning in beginnings):
            known[area] = names[0]
    known = {area: zone for area, zone in known.items() if not area.startswith(ANYWHERE.get(code, "-"))}
    kept = {}
    for area in sorted(known):
        shorter = [kept[area[:length]] for length in range(1, len(area)) if area[:length] in kept]
        above = shorter[-1] if shorter else None if code in LISTED else main
        if "," in known[area] or not above or clock(known[area]) != clock(above):
            kept[area] = known[area]
    return kept


def zones():
    """Codes with their main zones, and areas with theirs."""
    of_regions = zone_of_regions()
    for code, region, _ in mains():
        if region == WORLD:
            continue
        main = of_regions[region]
        yield f"{code}\t\t{main}"
        known = areas(code, main.split(",")[0])
        yield from (f"{code}\t{area}\t{known[area]}" for area in sorted(known))


def main():
    """Writes the files, or says which ones are outdated."""
    folder = pathlib.Path(__file__).parent
    outdated = []
    for name, lines in (("numbering", groups()), ("line_types", line_types()), ("countries", countries()), ("zones", zones())):
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
