"""Writes numbers.txt: numbers of all regions and kinds as people write them, and what they are, by Google's libphonenumber.

    pip install phonenumbers==9.0.43
    python numbers.py > numbers.txt

Each line is a region, a number as it is written there, and the number in E.164, separated by tabs: each example nationally, and that of
another region as it is called from there.
"""

import phonenumbers as p

# Shorter numbers are those of services, to which nobody writes. With the plus.
SHORTEST = 8

KINDS = (
    p.PhoneNumberType.FIXED_LINE,
    p.PhoneNumberType.MOBILE,
    p.PhoneNumberType.TOLL_FREE,
    p.PhoneNumberType.PREMIUM_RATE,
    p.PhoneNumberType.SHARED_COST,
    p.PhoneNumberType.VOIP,
    p.PhoneNumberType.PERSONAL_NUMBER,
    p.PhoneNumberType.UAN,
)


def examples(region):
    """The region's examples, all different."""
    known = []
    for kind in KINDS:
        number = p.example_number_for_type(region, kind)
        if number and number not in known:
            known.append(number)
    return known


def written(number):
    """The number in E.164."""
    return p.format_number(number, p.PhoneNumberFormat.E164)


def reads(text, region):
    """The number that it reads itself, if it is of a plan."""
    try:
        number = p.parse(text, region)
    except p.NumberParseException:
        return None
    return written(number) if p.is_valid_number(number) else None


def main():
    regions = sorted(p.SUPPORTED_REGIONS)
    for place, region in enumerate(regions):
        lines = [(p.format_number(number, p.PhoneNumberFormat.NATIONAL), number) for number in examples(region)]
        lines += [
            (p.format_out_of_country_calling_number(number, region), number)
            for number in examples(regions[(place + 1) % len(regions)])[:2]
            if number.country_code != p.country_code_for_region(region)
        ]
        for text, number in lines:
            if reads(text, region) == written(number) and len(written(number)) >= SHORTEST:
                print(region, text, written(number), sep="\t")


main()
