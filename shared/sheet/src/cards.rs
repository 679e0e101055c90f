//! Cards of address books (vCard 2.1, 3.0 and 4.0) as records of a table with the same columns always.
//!
//! Cards are found line by line, so pictures are passed without being kept, and a card that is cut or wrong costs only itself. The lines that
//! are imported are read by `vcard-rs`, one property at a time; what it leaves to its callers is here: `=E9`, encodings, and the use of a
//! number. The reasons are in docs/decisions/0098-vcards.md.

use std::borrow::Cow;
use std::collections::HashMap;
use std::mem;

use domain::terms::fold;
use vcard::tree::codec::mode::VcardEscaper;
use vcard::tree::line::VcardLine;
use vcard::tree::value::node::VcardValueNode;

use crate::bounds::{MAX_PHONE_COLUMNS, MAX_RECORD_LENGTH};
use crate::encoding::Encoding;
use crate::item::{Broken, CR, Item, LF, Position, Problem, line_end};
use crate::parts::join_values;
use crate::record::Record;
use crate::words::{OTHER_NUMBERS, has_word, place};

const BEGIN: &str = "BEGIN:VCARD";
const END: &str = "END:VCARD";

/// Names of the columns, for suggesting a mapping.
#[rustfmt::skip]
pub(crate) const COLUMNS: [&str; 21] = [
    "Name", "First name", "Middle name", "Last name", "Mobile phone", "Phone", "Home phone", "Work phone", "Other phone", "Fax and devices",
    "Email", "Email 2", "Email 3", "Email 4", "Company", "Job title", "City", "Country", "Birthday", "Groups", "Notes",
];
const NAME: usize = 0;
const FIRST_NAME: usize = 1;
const MOBILE: usize = 4;
const PHONE: usize = 5;
const HOME: usize = 6;
const WORK: usize = 7;
const OTHER: usize = 8;
const FAX: usize = 9;
const EMAIL: usize = 10;
const COMPANY: usize = 14;
const JOB: usize = 15;
const CITY: usize = 16;
const COUNTRY: usize = 17;
const BIRTHDAY: usize = 18;
const GROUPS: usize = 19;
const NOTES: usize = 20;

/// Properties that say who somebody is. Outside of a card, they are one that has lost its beginning.
const IDENTITIES: [&str; 4] = ["N", "FN", "TEL", "EMAIL"];
/// Others that are read.
#[rustfmt::skip]
const FURTHER: [&str; 13] = [
    "VERSION", "ORG", "TITLE", "ADR", "BDAY", "CATEGORIES", "NOTE", "KIND", "MEMBER", "X-ABLABEL", "X-ADDRESSBOOKSERVER-KIND",
    "X-ADDRESSBOOKSERVER-MEMBER", "X-EVOLUTION-LIST",
];

/// Kinds of cards that are not people's.
const NOBODY: [&str; 4] = ["group", "location", "application", "device"];
/// Types of numbers without a use for messages, besides [`OTHER_NUMBERS`].
const DEVICES: [&str; 6] = ["modem", "bbs", "tlx", "textphone", "ttytdd", "facsimile"];
/// Groups that programs put everybody into, or that their users look at most.
const EXPORTERS_GROUPS: [&str; 4] = ["mycontacts", "my contacts", "starred", "starred in android"];
/// Values of a property that are separated by semicolons. None has more.
const MAX_VALUES: usize = 40;
/// Types of a property that are looked at.
const MAX_TYPES: usize = 16;
/// Characters and words of a label that are looked at.
const MAX_LABEL: usize = 40;
const MAX_LABEL_WORDS: usize = 4;
/// Size of a property besides its text, in bytes.
const PROPERTY: usize = 64;
/// Longest line, in code units, that may hold the end of a card and the beginning of the next one.
const MAX_JOINED: usize = 40;

/// Whether a file without its byte order mark begins with a card.
pub(crate) fn begin(file: &[u8], encoding: Encoding) -> bool {
    let (text, _) = encoding.decode(&file[..file.len().min(1024)]);
    let lines = text
        .split(['\r', '\n'])
        .map(|line| line.trim_matches('\u{feff}').trim_end());
    let mut lines = lines.filter(|line| !line.is_empty());
    lines.next().is_some_and(|line| line.eq_ignore_ascii_case(BEGIN))
}

/// The bytes with those that are written as `=E9`.
pub(crate) fn decode_quoted_printable(text: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let (mut bytes, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(byte) = text.get(at) {
        let octet = digit(text.get(at + 1)).zip(digit(text.get(at + 2)));
        match octet.and_then(|(high, low)| u8::try_from(high << 4 | low).ok()) {
            Some(octet) if *byte == b'=' => {
                bytes.push(octet);
                at += 3;
            }
            _ => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
    bytes
}

/// The text of bytes, with `\u{fffd}` for those that are in none of these encodings. Many programs state another than they write: what
/// is UTF-8 by chance is hardly ever in an encoding of one byte for each letter.
fn text(bytes: &[u8], declared: Option<Encoding>, file: Encoding) -> Cow<'_, str> {
    let several = declared.filter(|encoding| encoding.hides_pipes());
    let candidates = [several, Some(Encoding::UTF_8), declared, Some(file)];
    let mut candidates = candidates
        .into_iter()
        .flatten()
        .filter(|encoding| encoding.width() == 1);
    let valid = candidates.find_map(|encoding| Some(encoding.decode(bytes)).filter(|(_, invalid)| !invalid));
    valid.map_or_else(|| String::from_utf8_lossy(bytes), |(text, _)| text)
}

/// Whether a line is this one. Blanks before it would make it a part of the line before.
fn is(line: &[u8], word: &str) -> bool {
    line.len() <= MAX_RECORD_LENGTH / 2 && line.trim_ascii_end().eq_ignore_ascii_case(word.as_bytes())
}

/// The part before the colon in a line that begins a property.
fn head(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    Some(&line[..colon])
}

/// The name of the property, without the group of `item1.TEL`.
fn name(head: &[u8]) -> &[u8] {
    let name = head.split(|byte| *byte == b';').next().unwrap_or_default();
    name.rsplit(|byte| *byte == b'.')
        .next()
        .unwrap_or_default()
        .trim_ascii()
}

fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()))
}

/// A reader of cards.
#[derive(Debug)]
pub(crate) struct Cards {
    encoding: Encoding,
    /// Beginning of the current card, or of what is ahead.
    at: Position,
    /// Bytes behind the last whole line.
    ahead: Vec<u8>,
    /// Whether the beginning of the line that is ahead is left out, because it is longer than a card may be.
    cut: bool,
    /// Length of the current card's lines so far, in bytes of the file.
    length: u64,
    /// Number of these lines so far.
    lines: u64,
    card: Option<Card>,
}

impl Cards {
    pub(crate) fn new(encoding: Encoding, position: Position) -> Self {
        Self {
            encoding,
            at: position,
            ahead: Vec::new(),
            cut: false,
            length: 0,
            lines: 0,
            card: None,
        }
    }

    pub(crate) fn position(&self) -> Position {
        self.at
    }

    /// Bytes of the file that the reader keeps.
    pub(crate) fn kept_length(&self) -> usize {
        self.ahead.len() + self.card.as_ref().map_or(0, |card| card.length)
    }

    pub(crate) fn read(&mut self, piece: &mut &[u8]) -> Option<Item> {
        while let Some((byte, rest)) = piece.split_first() {
            *piece = rest;
            self.ahead.push(*byte);
            match line_end(self.encoding, &self.ahead).or_else(|| self.joined_end()) {
                Some(end) => {
                    let item = self.line(end);
                    if item.is_some() {
                        return item;
                    }
                }
                None if self.ahead.len() > MAX_RECORD_LENGTH => self.cut(),
                None => {}
            }
        }
        None
    }

    pub(crate) fn finish(&mut self) -> Option<Item> {
        let last = (!self.ahead.is_empty()).then(|| self.line(self.ahead.len()));
        let open = |cards: &mut Self| {
            cards.card.as_ref()?;
            Some(cards.end(Some(Problem::NoEnd), cards.length, cards.lines))
        };
        last.flatten().or_else(|| open(self))
    }

    /// Length of the end of a card that is joined to the beginning of the next one, as in files that were put together.
    fn joined_end(&self) -> Option<usize> {
        let width = self.encoding.width();
        let units = self.ahead.len() / width;
        let may_be = units > BEGIN.len() && units <= MAX_JOINED && !self.cut;
        if !may_be || !matches!(self.encoding.unit(&self.ahead[..width]), 0x45 | 0x65) {
            return None;
        }
        let (text, _) = self.encoding.decode(&self.ahead);
        let text = text.to_ascii_uppercase();
        let is_joined = text.starts_with(END) && text.ends_with(BEGIN);
        is_joined.then(|| self.ahead.len() - BEGIN.len() * width)
    }

    /// The text of a line in UTF-8 or in the file's own encoding of bytes, without its end and byte order marks.
    fn plain(&self, line: &[u8]) -> Vec<u8> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let text = match self.encoding.width() {
            1 => Cow::Borrowed(line),
            _ => Cow::Owned(self.encoding.decode(line).0.into_owned().into_bytes()),
        };
        let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
        let text = &text[..end.map_or(0, |last| last + 1)];
        let text = text.strip_prefix(MARK).unwrap_or(text);
        text.strip_suffix(MARK).unwrap_or(text).to_vec()
    }

    /// Leaves out the beginning of a line that is longer than a card may be: a picture mostly. Its last unit may be a CR.
    fn cut(&mut self) {
        let width = self.encoding.width();
        let kept = width + self.ahead.len() % width;
        let bytes: Vec<u8> = self.ahead.drain(..self.ahead.len() - kept).collect();
        self.length += bytes.len() as u64;
        if !mem::replace(&mut self.cut, true) {
            self.take(&self.plain(&bytes), bytes.len() as u64, 0);
            if let Some(card) = self.card.as_mut().filter(|card| card.keeps) {
                card.refuse(Problem::LongCard);
            }
        }
    }

    /// Takes the next line, and gives the card that it ends.
    fn line(&mut self, length: usize) -> Option<Item> {
        let bytes: Vec<u8> = self.ahead.drain(..length).collect();
        let line = self.plain(&bytes);
        // The end of a card that is joined to the next one is no line by itself.
        let last = bytes
            .rchunks(self.encoding.width())
            .next()
            .map(|unit| self.encoding.unit(unit));
        let (length, lines) = (length as u64, u64::from(matches!(last, Some(CR | LF))));
        self.length += length;
        self.lines += lines;
        if mem::take(&mut self.cut) {
            match &mut self.card {
                Some(card) => card.goes_on = card.is_quoted && line.ends_with(b"="),
                None => self.pass(),
            }
            return None;
        }
        self.take(&line, length, lines)
    }

    /// Takes a line of this length and number of lines in the file, which are counted already.
    fn take(&mut self, line: &[u8], length: u64, lines: u64) -> Option<Item> {
        let Some(card) = &mut self.card else {
            let is_lost = head(line).is_some_and(|head| is_one_of(name(head), &IDENTITIES));
            if is(line, BEGIN) {
                self.card = Some(Card::default());
            } else if is_lost {
                let mut card = Card::default();
                card.refuse(Problem::NoBegin);
                card.take(line);
                self.card = Some(card);
            } else if !self.cut {
                self.pass();
            }
            return None;
        };
        if is(line, BEGIN) {
            if mem::take(&mut card.has_agent) {
                card.depth += 1;
                return None;
            }
            let item = self.end(Some(Problem::NoEnd), self.length - length, self.lines - lines);
            (self.card, self.length, self.lines) = (Some(Card::default()), length, lines);
            return Some(item);
        }
        if !is(line, END) {
            card.take(line);
            return None;
        }
        if card.depth > 0 {
            card.depth -= 1;
            return None;
        }
        Some(self.end(None, self.length, self.lines))
    }

    /// Passes lines outside of a card.
    fn pass(&mut self) {
        self.at.offset += mem::take(&mut self.length);
        self.at.line += mem::take(&mut self.lines);
    }

    /// Ends the card, which has this length and number of lines in the file.
    fn end(&mut self, problem: Option<Problem>, length: u64, lines: u64) -> Item {
        let card = self.card.take().unwrap_or_default();
        let (cells, found) = card.cells(self.encoding);
        // Lists may have thousands of members.
        let nobody = found.filter(|found| *found == Problem::Nobody);
        let problem = nobody.or(card.problem).or(problem).or(found);
        // Who imports the file of refused rows creates no contact with the name of a list.
        let cells = if problem == Some(Problem::Nobody) {
            Vec::new()
        } else {
            cells
        };
        let record = Record::of(self.at.row, self.at.line, cells);
        (self.length, self.lines) = (length, lines);
        self.pass();
        self.at.row += 1;
        match problem {
            Some(problem) => Err(Broken { record, problem }),
            None => Ok(record),
        }
    }
}

/// The lines of a card that are imported, each property by itself.
#[derive(Debug, Default)]
struct Card {
    properties: Vec<Vec<u8>>,
    length: usize,
    /// Number of cards within the card: agents of people.
    depth: usize,
    /// Whether the last property is one that may be followed by a card.
    has_agent: bool,
    /// Whether the last property is read.
    keeps: bool,
    /// Whether the last property is quoted-printable.
    is_quoted: bool,
    /// Whether the last line says that the next one belongs to it.
    goes_on: bool,
    problem: Option<Problem>,
}

impl Card {
    fn take(&mut self, line: &[u8]) {
        let folded = line.starts_with(b" ") || line.starts_with(b"\t");
        let begins = !mem::take(&mut self.goes_on) && !folded;
        if begins {
            let head = head(line).unwrap_or_default();
            let name = name(head);
            // A blank line ends a property of 2.1.
            self.keeps = self.depth == 0 && (is_one_of(name, &IDENTITIES) || is_one_of(name, &FURTHER));
            self.has_agent = name.eq_ignore_ascii_case(b"AGENT") && line.trim_ascii_end().ends_with(b":");
            self.is_quoted = head
                .to_ascii_uppercase()
                .windows(16)
                .any(|part| part == b"QUOTED-PRINTABLE");
        }
        let line = if self.is_quoted { line.trim_ascii_end() } else { line };
        self.goes_on = self.is_quoted && line.ends_with(b"=");
        if !self.keeps {
            return;
        }
        // A property is work, however short it is.
        let length = line.len() + if begins { PROPERTY } else { 1 };
        if self.length + length > MAX_RECORD_LENGTH {
            self.refuse(Problem::LongCard);
            return;
        }
        self.length += length;
        if begins {
            self.properties.push(Vec::new());
        }
        if let Some(property) = self.properties.last_mut() {
            property.extend_from_slice(line);
            property.push(b'\n');
        }
    }

    /// Refuses the card. The first problem counts.
    fn refuse(&mut self, problem: Problem) {
        self.problem.get_or_insert(problem);
        if problem == Problem::LongCard {
            self.keeps = false;
        }
    }

    /// The cells of the card's record, and what is wrong with them.
    fn cells(&self, encoding: Encoding) -> (Vec<String>, Option<Problem>) {
        let properties = self.properties.iter();
        let mut properties: Vec<Property> = properties.filter_map(|bytes| Property::read(bytes, encoding)).collect();
        // Of several values, the preferred ones come first.
        properties.sort_by_key(|property| property.rank);
        let version = properties.iter().find(|property| property.name == "VERSION");
        let escaper = version.map_or(VcardEscaper::V4_0, |version| {
            VcardEscaper::for_version_str(version.value.trim())
        });
        let mut labels = HashMap::new();
        for property in &properties {
            if let ("X-ABLABEL", Some(group)) = (property.name.as_str(), &property.group) {
                let label = property.value.trim();
                let end = label.char_indices().nth(MAX_LABEL).map_or(label.len(), |(end, _)| end);
                labels.insert(group.as_str(), &label[..end]);
            }
        }
        let mut cells = vec![String::new(); COLUMNS.len()];
        let mut numbers: [Vec<String>; FAX - MOBILE + 1] = Default::default();
        let mut emails = EMAIL..COMPANY;
        let mut groups: Vec<String> = Vec::new();
        let mut is_nobody = false;
        for property in &properties {
            let mut node = VcardValueNode::parse(property.value.as_bytes());
            node.escaper = escaper;
            let whole = node.decode().trim().to_owned();
            let component = |index| {
                let values = node.decode_component_list(index);
                let values: Vec<&str> = values.iter().map(|value| value.trim()).collect();
                values.join(" ").trim().to_owned()
            };
            let mut set = |column: usize, value: String| {
                let cell: &mut String = &mut cells[column];
                if cell.is_empty() {
                    *cell = value;
                }
            };
            match property.name.as_str() {
                "FN" => set(NAME, whole),
                "N" => {
                    for (column, index) in [1, 2, 0].into_iter().enumerate() {
                        set(FIRST_NAME + column, component(index));
                    }
                }
                "TEL" => {
                    let uri = whole.get(..4).filter(|begin| begin.eq_ignore_ascii_case("tel:"));
                    let number = whole[uri.map_or(0, str::len)..].trim();
                    let label = property.group.as_ref().and_then(|group| labels.get(group.as_str()));
                    let column = &mut numbers[use_of(&property.words, label.copied()) - MOBILE];
                    if !number.is_empty()
                        && column.len() < MAX_PHONE_COLUMNS
                        && !column.iter().any(|other| other == number)
                    {
                        column.push(number.to_owned());
                    }
                }
                "EMAIL" if !whole.is_empty() => {
                    if let Some(column) = emails.next() {
                        set(column, whole);
                    }
                }
                "ORG" => set(COMPANY, component(0)),
                "TITLE" => set(JOB, whole),
                "ADR" => {
                    set(CITY, component(3));
                    set(COUNTRY, component(6));
                }
                "BDAY" => set(BIRTHDAY, birthday(&whole, property.omitted_year.as_deref())),
                "NOTE" => set(NOTES, whole),
                "CATEGORIES" => {
                    for index in 0..node.component_count().min(MAX_VALUES) {
                        let values = node.decode_component_list(index);
                        let own = values
                            .iter()
                            .map(|value| value.trim())
                            .filter(|value| is_own_group(value) && !value.contains('\u{fffd}'));
                        groups.extend(own.map(str::to_owned));
                    }
                }
                "KIND" | "X-ADDRESSBOOKSERVER-KIND" => is_nobody |= NOBODY.contains(&fold(&whole).as_str()),
                "X-EVOLUTION-LIST" => is_nobody |= whole.eq_ignore_ascii_case("TRUE"),
                "MEMBER" | "X-ADDRESSBOOKSERVER-MEMBER" => is_nobody = true,
                _ => {}
            }
        }
        for (column, numbers) in numbers.iter().enumerate() {
            cells[MOBILE + column] = join_values(numbers.iter().map(String::as_str));
        }
        cells[GROUPS] = join_values(groups.iter().map(String::as_str));
        if cells[NAME].is_empty() {
            let parts = cells[FIRST_NAME..MOBILE].iter().filter(|part| !part.is_empty());
            cells[NAME] = parts.map(String::as_str).collect::<Vec<_>>().join(" ");
        }
        if cells[NAME].is_empty() {
            cells[NAME] = cells[COMPANY].clone();
        }
        // Nobody loses a contact by a note.
        for cell in &mut cells[COMPANY..] {
            cell.retain(|sign| sign != '\0');
        }
        let vital = || cells[..COMPANY].iter();
        // A card has one of each. What is cut between two cards joins the number of one to the name of the other.
        let twice = |name: &str| properties.iter().filter(|property| property.name == name).count() > 1;
        let problem = if is_nobody {
            Some(Problem::Nobody)
        } else if twice("VERSION") && twice("N") {
            Some(Problem::NoEnd)
        } else if vital().any(|cell| cell.contains('\u{fffd}')) {
            Some(Problem::StrangeCard)
        } else if vital().any(|cell| cell.contains('\0')) {
            Some(Problem::Nul)
        } else {
            None
        };
        (cells, problem)
    }
}

/// A property of a card.
struct Property {
    /// Its name, in capitals.
    name: String,
    /// Its group, in small letters: `item1` of `item1.TEL`.
    group: Option<String>,
    /// Its types, in small letters.
    words: Vec<String>,
    /// Rank of preference; 1 is the most preferred.
    rank: u8,
    /// The year that stands for none in a birthday.
    omitted_year: Option<String>,
    /// Its value with escapes.
    value: String,
}

impl Property {
    fn read(bytes: &[u8], file: Encoding) -> Option<Self> {
        let mut parameters = head(bytes).unwrap_or_default().split(|byte| *byte == b';');
        let declared = parameters.find_map(|parameter| {
            let (name, value) = parameter.split_at_checked(8)?;
            let label = std::str::from_utf8(value).ok()?.trim_matches('"');
            name.eq_ignore_ascii_case(b"CHARSET=")
                .then(|| label.parse().ok())
                .flatten()
        });
        let read = text(bytes, declared, file);
        let (line, _) = VcardLine::take(read.as_bytes()).ok()?;
        let (mut words, mut rank, mut omitted_year) = (Vec::new(), u8::MAX, None);
        for parameter in &line.params {
            let name = parameter.name.get().trim().to_ascii_lowercase();
            let values = parameter.values.iter();
            let mut values = values.flat_map(|value| value.get().trim_matches('"').split(','));
            match name.as_str() {
                "type" | "encoding" => {
                    words.extend(values.take(MAX_TYPES).map(|value| value.trim().to_ascii_lowercase()));
                }
                "pref" if !parameter.values.is_empty() => {
                    rank = values.next().and_then(|value| value.parse().ok()).unwrap_or(rank);
                }
                "x-apple-omit-year" => omitted_year = values.next().map(str::to_owned),
                _ if parameter.values.is_empty() => words.push(name),
                _ => {}
            }
            words.truncate(MAX_TYPES);
        }
        if words.iter().any(|word| word == "pref") {
            rank = 1;
        }
        let mut value = line.value.to_string();
        if words.iter().any(|word| word == "quoted-printable") {
            value = text(&decode_quoted_printable(value.as_bytes()), declared, file).into_owned();
        }
        Some(Self {
            name: line.bare_name().trim().to_ascii_uppercase(),
            group: line.group().map(str::to_ascii_lowercase),
            words,
            rank,
            omitted_year,
            value,
        })
    }
}

/// The column of a number with these types, and with the label that its owner chose.
fn use_of(types: &[String], label: Option<&str>) -> usize {
    let label = label.map(|label| {
        let apples = label.strip_prefix("_$!<").and_then(|label| label.strip_suffix(">!$_"));
        let label = apples.unwrap_or(label);
        [fold(label), fold(&label_in_words(label))]
    });
    let label = label.as_ref().map(<[String; 2]>::as_slice).unwrap_or_default();
    let is_device =
        |word: &String| word.contains("fax") || has_word(word, OTHER_NUMBERS) || is_one_of(word.as_bytes(), &DEVICES);
    if types.iter().chain(label).any(is_device) {
        return FAX;
    }
    let by_type = types.iter().filter_map(|word| match word.as_str() {
        "cell" | "mobile" | "iphone" | "applewatch" | "pcs" | "whatsapp" => Some(MOBILE),
        "home" => Some(HOME),
        "work" => Some(WORK),
        "car" => Some(OTHER),
        // Android writes labels as types.
        other => other.strip_prefix("x-").map(use_of_label),
    });
    by_type
        .chain(label.iter().map(|label| use_of_label(label)))
        .min()
        .unwrap_or(PHONE)
}

/// The column of a number with this label: by the words for columns of tables, as a whole or one of them.
fn use_of_label(label: &str) -> usize {
    let column = |name: &str| {
        let wanted = place(name);
        (MOBILE..FAX).find(|column| place(COLUMNS[*column]) == wanted)
    };
    let known = |name: &str| match name {
        "iphone" | "apple watch" => Some(MOBILE),
        _ => column(name).or_else(|| column(&format!("{name} phone"))),
    };
    let words = [label]
        .into_iter()
        .chain(label.split_whitespace().take(MAX_LABEL_WORDS));
    words.filter_map(known).min().unwrap_or(OTHER)
}

/// A label of a program, as `HomeFAX`, in words.
fn label_in_words(label: &str) -> String {
    let mut words = String::new();
    for sign in label.chars() {
        if sign.is_ascii_uppercase() && words.ends_with(|before: char| before.is_ascii_lowercase()) {
            words.push(' ');
        }
        words.push(sign);
    }
    words
}

/// Whether a group is one of the owner's, not of the program that wrote the card.
fn is_own_group(name: &str) -> bool {
    !name.is_empty() && !name.starts_with("* ") && !EXPORTERS_GROUPS.contains(&fold(name).as_str())
}

/// A birthday as tables have it. Without a year, it begins with two hyphens.
fn birthday(text: &str, omitted_year: Option<&str>) -> String {
    let day = text.split(['T', ' ']).next().unwrap_or_default();
    let is_basic = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
    let day = match is_basic {
        true => format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]),
        false => text.to_owned(),
    };
    let yearless = omitted_year.and_then(|year| day.strip_prefix(year)?.strip_prefix('-'));
    yearless.map_or_else(|| day.clone(), |rest| format!("--{rest}"))
}
