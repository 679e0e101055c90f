//! Whether the text that a telephone network sends as the name of a caller is a name.

use crate::terms::Phone;

/// Words of texts that networks send instead of a name, such as "WIRELESS CALLER" and "Out of Area".
const PLACEHOLDERS: &str = "A ANONYMOUS AREA ASSERTED AVAILABLE BLOCKED CALL CALLER CELL CELLULAR CONFIDENTIAL FRAUD FREE ID INCOMING \
                            INTERNATIONAL LIKELY MOBILE N NAME NO NON NONE NONPUB NOT NULL NUMBER OF OUT PAY PAYPHONE PHONE POTENTIAL PRIVATE \
                            PROVIDED PUBLIC RESTRICTED RISK SCAM SERVICE SPAM STATES SUSPECTED TELEMARKETER TOLL UNASSIGNED UNAVAILABLE \
                            UNITED UNKNOWN UNLISTED USA VOIP WIRELESS WITHHELD خاص رقم غير مجهول";

/// States, districts and territories of the United States and provinces of Canada, as they follow a town.
const STATES: &str = "AL AK AZ AR CA CT DE DC FL GA HI ID IL IN IA KS KY LA ME MI MN MS MT NE NV NH NJ NM NY NC ND OH OK OR RI SC SD TN TX \
                      UT VT VA WA WV WI WY PR VI GU AB BC MB NB NL NS NT NU ON PE QC SK YT CO MD PA MA";

/// Codes of states that also end names: of a company, a doctor, an association, a family.
const ALSO_NAMES: [&str; 4] = ["CO", "MD", "PA", "MA"];

/// Whether this is somebody's name: not a number, not a placeholder, and not a town with the code of the number's country or state, which
/// networks send in capitals ("DUBAI AE", "Toronto, ON").
pub fn is_persons_name(text: &str, number: Option<&Phone>) -> bool {
    let digits = text.chars().filter(|sign| sign.is_numeric()).count();
    let letters = text.chars().filter(|sign| sign.is_alphabetic()).count();
    let words = text.split(|sign: char| !sign.is_alphanumeric());
    let words: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_uppercase).collect();
    // "معروف" alone is a name, and with "غير" it is "unknown".
    let is_placeholder = |word: &String| {
        PLACEHOLDERS.split_whitespace().any(|known| known == word) || (word == "معروف" && words.len() > 1)
    };
    letters > digits && !words.iter().all(is_placeholder) && !number.is_some_and(|number| is_town(text, number))
}

/// Whether a text is a town with the code of the number's country or, in North America, of its state.
fn is_town(text: &str, number: &Phone) -> bool {
    let text = text.trim_end();
    let Some((town, code)) = text.rsplit_once([' ', ',']) else {
        return false;
    };
    // Networks fill up the town with blanks.
    let is_apart = town.ends_with([' ', ',']);
    let in_capitals = !text.chars().any(char::is_lowercase);
    let is_state = || {
        let known = STATES.split_whitespace().any(|state| state == code);
        known && number.digits().starts_with('1') && (is_apart || !ALSO_NAMES.contains(&code))
    };
    let is_country = || number.country().is_some_and(|country| country.as_str() == code);
    (in_capitals || is_apart) && town.chars().any(char::is_alphabetic) && (is_state() || is_country())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_networks_send_without_a_name_is_none() {
        let (emirates, boston, toronto) = ("+971501234567", "+16175550143", "+14165550143");
        for (text, number, expected) in [
            ("WIRELESS CALLER", boston, false),
            ("Wireless  Caller", boston, false),
            ("UNKNOWN NAME", boston, false),
            ("Unknown", emirates, false),
            ("OUT OF AREA", boston, false),
            ("TOLL FREE CALL", boston, false),
            ("SPAM LIKELY", boston, false),
            ("N/A", boston, false),
            ("رقم خاص", emirates, false),
            ("غير معروف", emirates, false),
            ("CONFIDENTIAL", boston, false),
            ("DUBAI AE", emirates, false),
            ("BOSTON       MA", boston, false),
            ("Toronto, ON", toronto, false),
            ("SAN JUAN PR", boston, false),
            ("+971501234567", emirates, false),
            ("V09182736451234", boston, false),
            ("6175550143", boston, false),
            ("?", boston, false),
            // Names, also in capitals and cut, and codes of other places.
            ("LAYLA HADDAD", emirates, true),
            ("HADDAD LAYLA", boston, true),
            ("Layla", emirates, true),
            ("Haddad, Layla", emirates, true),
            ("Li Ma", boston, true),
            ("LEE MA", boston, true),
            ("Smith, Al", boston, true),
            ("ACME PLUMBING CO", boston, true),
            ("SMITH JOHN MD", boston, true),
            ("معروف", emirates, true),
            ("KUMAR IN", emirates, true),
            ("ليلى حداد", emirates, true),
            ("AL NOOR PHARMAC", emirates, true),
            ("Salon 24", emirates, true),
            ("FREE LUNCH LLC", boston, true),
            ("MOBILE PHONE DOCTORS", boston, true),
        ] {
            assert_eq!(
                is_persons_name(text, Some(&number.parse().unwrap())),
                expected,
                "{text}"
            );
        }
        assert!(
            is_persons_name("DUBAI AE", None),
            "nothing says which country's code it could be"
        );
    }
}
