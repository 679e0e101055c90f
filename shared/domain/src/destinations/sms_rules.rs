//! Rules of countries for SMS (docs/decisions/0101-sms-rules.md): who may send there, whether anybody can answer, what a text may say, and
//! when promotion arrives.
//!
//! They are data (`sms_rules.json`), each with its source, the date of that (or the day when it was read, if it has none), and how sure it
//! is. Countries that the table does not name have none. A rule is of the country of the recipient's number, whoever sends.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::terms::{Category, Channel, Country, Day, QuietHours, Reason, Refusal, UpTo, to_ascii_digit};

const TABLE: &str = include_str!("sms_rules.json");

/// Kind of a rule of a country for SMS. A kind that this version does not know is read as unknown, and holds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SmsRule"))]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Which senders arrive.
    Senders,
    /// Whether replies arrive, such as STOP.
    Replies,
    /// How the sender of promotion begins or ends.
    PromotionMark,
    /// When promotion arrives.
    PromotionHours,
    /// Links in the text.
    Links,
    /// Telephone numbers in the text.
    Numbers,
    /// Registration before the first message.
    Registration,
    /// Whether promotion may be sent at all.
    Promotion,
    /// Of another version.
    #[serde(other)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Unknown,
}

words! {
    /// The word in facts.
    RuleKind {
        Senders = "senders",
        Replies = "replies",
        PromotionMark = "promotion_mark",
        PromotionHours = "promotion_hours",
        Links = "links",
        Numbers = "numbers",
        Registration = "registration",
        Promotion = "promotion",
        Unknown = "unknown",
    }
}

/// A rule that does not hold for a connection, as its tenant has confirmed: what must be registered is, or the provider said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ConfirmedSmsRule")
)]
#[serde(deny_unknown_fields)]
pub struct ConfirmedRule {
    /// Country of the recipients.
    #[cfg_attr(feature = "schema", schemars(example = &"IN"))]
    pub country: Country,
    /// The rule.
    #[cfg_attr(feature = "schema", schemars(example = &"registration"))]
    pub rule: RuleKind,
}

/// Maximum rules that a connection confirms.
pub const MAX_CONFIRMED: usize = 100;

/// The rules that a connection confirms.
pub type Confirmed = UpTo<MAX_CONFIRMED, ConfirmedRule>;

/// Effect of a rule on a message against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applies {
    /// It is not sent by SMS.
    Refuse,
    /// It waits, as for quiet hours.
    Wait,
    /// It is sent, with a remark: it may arrive changed, or not at all.
    Remark,
    /// It is sent. The author or tester gets a warning.
    Warning,
}

/// Certainty of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sureness {
    /// The page of the provider that sends says so.
    Vendor,
    /// Only others say so.
    ThirdParty,
    /// Nobody has verified it.
    Unverified,
}

/// Kind of a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sender {
    Number,
    /// Letters that nobody has registered.
    Letters,
    /// Letters that are registered for the country.
    RegisteredLetters,
}

/// Sender of an SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    Number,
    Letters {
        sender: &'a str,
        /// Whether they are registered for the country.
        registered: bool,
    },
    /// A Messaging Service, which chooses.
    Service,
}

impl Origin<'_> {
    /// The kind of the sender. None if it is not known.
    const fn kind(self) -> Option<Sender> {
        match self {
            Self::Number => Some(Sender::Number),
            Self::Letters { registered: true, .. } => Some(Sender::RegisteredLetters),
            Self::Letters { .. } => Some(Sender::Letters),
            Self::Service => None,
        }
    }
}

/// Effect on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Link {
    NotAllowed,
    Masked,
}

/// Kind of registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Registered {
    Templates,
    Numbers,
}

/// Content of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Says {
    /// Only these senders arrive.
    Senders(Vec<Sender>),
    /// No replies arrive. The network may have a number of its own to refuse promotion.
    Replies {
        #[serde(default)]
        opt_out: Option<String>,
    },
    PromotionMark {
        #[serde(default)]
        prefix: Option<String>,
        #[serde(default)]
        suffix: Option<String>,
    },
    /// No promotion in these hours of the recipient's day.
    PromotionHours(QuietHours),
    Links(Link),
    /// Telephone numbers in the text are not allowed.
    Numbers,
    Registration(Registered),
    /// No promotion at all.
    Promotion,
    /// Replies arrive, but not at letters. No row says so: it holds wherever letters send.
    #[serde(skip)]
    RepliesToLetters,
}

/// A rule, as the table has it.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    says: Says,
    applies: Applies,
    sureness: Sureness,
    source: String,
    date: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfCountry {
    country: Country,
    rules: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    checked_on: Day,
    countries: Vec<OfCountry>,
}

/// The table, which a test reads.
static RULES: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(TABLE).expect("a test reads the rules of the code"));

/// Last day when somebody compared the table with its sources.
pub fn sms_rules_checked_on() -> Day {
    RULES.checked_on
}

/// Nobody can reply to letters, whichever country they send to.
static TO_LETTERS: LazyLock<Row> = LazyLock::new(|| Row {
    says: Says::RepliesToLetters,
    applies: Applies::Warning,
    sureness: Sureness::Vendor,
    source: "twilio.com: alphanumeric senders are one-way, so STOP cannot reach them".to_owned(),
    date: "2026-11-30".to_owned(),
});

/// A rule of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub country: Country,
    row: &'static Row,
    applies: Applies,
}

/// The rules of a country that a connection has not confirmed.
fn rules_of(country: Option<Country>, confirmed: &[ConfirmedRule]) -> impl Iterator<Item = Rule> {
    let found = RULES.countries.iter().find(|known| Some(known.country) == country);
    let all = found
        .into_iter()
        .flat_map(|of| of.rules.iter().map(|row| (of.country, row)));
    let all = all.map(|(country, row)| Rule {
        country,
        row,
        applies: row.applies,
    });
    all.filter(move |rule| {
        let own = |other: &ConfirmedRule| other.country == rule.country && other.rule == rule.kind();
        !confirmed.iter().any(own)
    })
}

/// The rule of a country, if it has one of this kind.
pub fn rule_of(country: Country, kind: RuleKind) -> Option<Rule> {
    rules_of(Some(country), &[]).find(|rule| rule.kind() == kind)
}

/// The rule of this kind in a country, or what holds for letters in a country without one.
pub fn known_rule(country: Country, kind: RuleKind) -> Option<Rule> {
    rule_of(country, kind).or_else(|| Some(of_letters(country)).filter(|rule| rule.kind() == kind))
}

/// The rule for letters in a country whose own rules say nothing of replies.
fn of_letters(country: Country) -> Rule {
    let row = &*TO_LETTERS;
    Rule {
        country,
        row,
        applies: row.applies,
    }
}

/// Calling code of the United States and their neighbours.
const NORTH_AMERICA: &str = "1";

/// Whether letters arrive in a country, as far as is known. A country that shares the calling code of the United States is judged like them
/// unless it has a row.
pub fn takes_letters(country: Country) -> bool {
    let shares = || country.calling_code().filter(|code| *code == NORTH_AMERICA);
    let senders = rule_of(country, RuleKind::Senders);
    let senders = senders.or_else(|| rule_of(Country::of_calling_code(shares()?)?, RuleKind::Senders));
    senders.is_none_or(|rule| !matches!(&rule.row.says, Says::Senders(arrive) if *arrive == [Sender::Number]))
}

/// Whether telephone numbers arrive as senders in a country, as far as is known.
pub fn takes_numbers(country: Country) -> bool {
    let senders = rule_of(country, RuleKind::Senders);
    senders.is_none_or(|rule| !matches!(&rule.row.says, Says::Senders(arrive) if !arrive.contains(&Sender::Number)))
}

/// How people in a country refuse further SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayOut {
    Reply,
    /// They write to this number of the networks.
    Number(&'static str),
    /// By WhatsApp or a call: replies do not arrive.
    Elsewhere,
}

impl WayOut {
    /// The one of a country. In an unknown one, people reply.
    pub fn of(country: Option<Country>) -> Self {
        let rule = country.and_then(|country| rule_of(country, RuleKind::Replies));
        match rule.map(|rule| &rule.row.says) {
            Some(Says::Replies { opt_out: Some(number) }) => Self::Number(number),
            Some(Says::Replies { opt_out: None }) => Self::Elsewhere,
            _ => Self::Reply,
        }
    }

    /// The one of a recipient by a channel: WhatsApp takes replies everywhere.
    pub fn by(channel: Channel, country: Option<Country>) -> Self {
        match channel {
            Channel::WhatsApp => Self::Reply,
            Channel::Sms => Self::of(country),
        }
    }

    /// The sentence at the end of a text, in English and in Arabic.
    pub fn sentences(self) -> [(&'static str, String); 2] {
        let (english, arabic) = match self {
            Self::Reply => (
                "Reply STOP for no more messages.".to_owned(),
                "لإيقاف الرسائل أرسل STOP.".to_owned(),
            ),
            Self::Number(number) => (
                format!("For no more messages, text {number}."),
                format!("لإيقاف الرسائل أرسل رسالة إلى {number}."),
            ),
            Self::Elsewhere => (
                "For no more messages, tell us by WhatsApp or a call.".to_owned(),
                "لإيقاف الرسائل أخبرنا عبر واتساب أو بمكالمة.".to_owned(),
            ),
        };
        [("en", english), ("ar", arabic)]
    }
}

/// The hours of the recipient's day without promotion in a country, unless the connection has confirmed that it may be sent.
pub fn promotion_hours(
    country: Option<Country>,
    category: Category,
    confirmed: &[ConfirmedRule],
) -> Option<QuietHours> {
    let mut rules = rules_of(country, confirmed).filter(|_| category == Category::Marketing);
    rules.find_map(|rule| match &rule.row.says {
        Says::PromotionHours(hours) => Some(*hours),
        _ => None,
    })
}

/// An SMS as the rules judge it.
#[derive(Debug, Clone, Copy)]
pub struct Sms<'a> {
    /// Country of the recipient. Unknown: no rule holds.
    pub country: Option<Country>,
    pub category: Category,
    pub origin: Origin<'a>,
    /// Its text, as it is sent.
    pub text: &'a str,
    /// The rules that its connection has confirmed.
    pub confirmed: &'a [ConfirmedRule],
}

impl Sms<'_> {
    /// The rules that it is against.
    pub fn broken_rules(&self) -> impl Iterator<Item = Rule> {
        let rules = rules_of(self.country, self.confirmed).chain(self.of_letters());
        let broken = rules.filter(|rule| self.breaks(&rule.row.says));
        // A service may have such letters.
        let by_service = self.origin == Origin::Service;
        broken.map(move |rule| {
            let unclear = by_service && matches!(rule.row.says, Says::PromotionMark { .. });
            let applies = if unclear { Applies::Warning } else { rule.applies };
            Rule { applies, ..rule }
        })
    }

    /// The rule for letters in this country, if its own rules say nothing of replies.
    fn of_letters(&self) -> Option<Rule> {
        let country = self.country.filter(|_| matches!(self.origin, Origin::Letters { .. }))?;
        let rule = of_letters(country);
        rule_of(country, rule.kind()).is_none().then_some(rule)
    }

    /// The reason why it is not sent, if there is one.
    pub fn refusal_by_rules(&self) -> Option<Refusal> {
        let mut broken = self.broken_rules().filter(|rule| rule.applies() == Applies::Refuse);
        broken.next().map(|rule| rule.refusal())
    }

    fn breaks(&self, says: &Says) -> bool {
        let promotes = self.category == Category::Marketing;
        match says {
            Says::Senders(arrive) => self.origin.kind().is_some_and(|sender| !arrive.contains(&sender)),
            // The other way out that the row names is none.
            Says::Replies { opt_out } => {
                let names_it = opt_out.as_deref().is_some_and(|number| self.text.contains(number));
                !names_it && asks_for_a_reply(self.text)
            }
            // A number has no such mark, and that is told by the senders that arrive.
            Says::PromotionMark { prefix, suffix } => match self.origin {
                Origin::Number => false,
                Origin::Service => promotes,
                Origin::Letters { sender, .. } => {
                    let begins = prefix.as_ref().is_none_or(|prefix| sender.starts_with(prefix));
                    let ends = suffix.as_ref().is_none_or(|suffix| sender.ends_with(suffix));
                    promotes && !(begins && ends)
                }
            },
            Says::PromotionHours(_) => false,
            Says::Links(_) => has_link(self.text),
            Says::Numbers => has_number(self.text),
            Says::Registration(_) => true,
            Says::Promotion => promotes,
            Says::RepliesToLetters => asks_for_a_reply(self.text),
        }
    }
}

impl Rule {
    pub const fn kind(&self) -> RuleKind {
        match self.row.says {
            Says::Senders(_) => RuleKind::Senders,
            Says::Replies { .. } | Says::RepliesToLetters => RuleKind::Replies,
            Says::PromotionMark { .. } => RuleKind::PromotionMark,
            Says::PromotionHours(_) => RuleKind::PromotionHours,
            Says::Links(_) => RuleKind::Links,
            Says::Numbers => RuleKind::Numbers,
            Says::Registration(_) => RuleKind::Registration,
            Says::Promotion => RuleKind::Promotion,
        }
    }

    pub const fn applies(&self) -> Applies {
        self.applies
    }

    /// The refusal of a message that is against it, with what to do.
    pub fn refusal(&self) -> Refusal {
        let sureness = match self.row.sureness {
            Sureness::Vendor => "vendor",
            Sureness::ThirdParty => "third_party",
            Sureness::Unverified => "unverified",
        };
        let refusal = Refusal::new(Reason::CountryRule, self.sentence());
        let refusal = refusal.and("country", self.country.as_str());
        refusal.and("rule", self.kind().as_str()).and("sureness", sureness)
    }

    fn sentence(&self) -> String {
        let country = self.country;
        let (what, remedy) = match &self.row.says {
            Says::Senders(arrive) if arrive.contains(&Sender::RegisteredLetters) => (
                format!("an SMS to {country} may not arrive unless registered letters are its sender"),
                "register some, and give them in `letters` of the connection with `registered`".to_owned(),
            ),
            Says::Senders(_) => (
                format!("an SMS to {country} may not arrive unless a telephone number is its sender"),
                "send it from one".to_owned(),
            ),
            Says::Replies { opt_out } => (
                format!("nobody in {country} can reply to an SMS, and the text asks for it"),
                match opt_out {
                    None => "name another way, such as WhatsApp or a call".to_owned(),
                    Some(number) => {
                        format!("name another way, such as WhatsApp, a call, or the networks' own number {number}")
                    }
                },
            ),
            Says::RepliesToLetters => (
                format!("letters send SMS to {country}, nobody can reply to them, and the text asks for it"),
                "name another way, such as WhatsApp or a call".to_owned(),
            ),
            Says::PromotionMark { prefix, suffix } => {
                let mark = prefix
                    .as_ref()
                    .or(suffix.as_ref())
                    .map(String::as_str)
                    .unwrap_or_default();
                let place = if prefix.is_some() { "begins" } else { "ends" };
                (
                    format!("the sender of promotion by SMS to {country} {place} with {mark}"),
                    "give such letters as `promotion` in `letters` of the connection".to_owned(),
                )
            }
            // It waits, and quiet hours say so.
            Says::PromotionHours(hours) => (
                format!(
                    "no promotion is sent by SMS to {country} from {} to {}",
                    hours.from, hours.to
                ),
                "wait".to_owned(),
            ),
            Says::Links(Link::NotAllowed) => (
                format!("links are not allowed in an SMS to {country}"),
                "leave the link out, or send it by WhatsApp".to_owned(),
            ),
            Says::Links(Link::Masked) => (
                format!("links in an SMS to {country} are masked, or the message is blocked"),
                "leave the link out, or send it by WhatsApp".to_owned(),
            ),
            Says::Numbers => (
                format!("telephone numbers are not allowed in the text of an SMS to {country}"),
                "leave the number out, or send it by WhatsApp".to_owned(),
            ),
            Says::Registration(Registered::Templates) => (
                format!("SMS to {country} need a registered template and registered domains of links"),
                "register them, and confirm it in `confirmed_rules` of the connection".to_owned(),
            ),
            Says::Registration(Registered::Numbers) => (
                format!("numbers that send SMS to {country} must be registered first (10DLC, toll-free verification)"),
                "register them, and confirm it in `confirmed_rules` of the connection".to_owned(),
            ),
            Says::Promotion => (
                format!("promotion is not allowed by SMS to {country}"),
                "send it by WhatsApp".to_owned(),
            ),
        };
        let unsure = match self.row.sureness {
            Sureness::Vendor => "",
            Sureness::ThirdParty | Sureness::Unverified => " (not verified)",
        };
        format!("{what}{unsure}: {remedy}")
    }
}

/// Words of texts that ask for a reply, in small letters.
const ASKING: [&str; 6] = ["reply", "إيقاف", "توقف", "قف", "ردّ", "رد"];

/// Whether a text asks for a reply. Shops are stopped by, but nobody writes that in capitals.
fn asks_for_a_reply(text: &str) -> bool {
    let words = text.split(|sign: char| !sign.is_alphanumeric() && sign != '\u{651}');
    let mut words = words.filter(|word| !word.is_empty());
    let mut before = String::new();
    words.any(|word| {
        let small = word.to_lowercase();
        // "Please do not reply", "don't reply".
        let asks = word == "STOP" || ASKING.contains(&small.as_str()) && !["not", "no", "t"].contains(&before.as_str());
        before = small;
        asks
    })
}

/// Ends of hosts that are no country's, and that are recognized without a path behind them.
const ENDS: [&str; 12] = [
    "com", "net", "org", "info", "biz", "shop", "store", "app", "online", "site", "link", "xyz",
];

/// Whether telephones show something in a text as a link.
fn has_link(text: &str) -> bool {
    let ends = |sign: char| sign.is_whitespace() || "<>()[]{}\"'«»“”,،؛;|".contains(sign);
    text.split(ends).any(is_link)
}

fn is_link(word: &str) -> bool {
    let word = word.trim_matches(|sign: char| !sign.is_alphanumeric() && sign != '/');
    let small = word.to_ascii_lowercase();
    if small.contains("://") || small.starts_with("www.") {
        return true;
    }
    let end = word.find(['/', '?', '#', ':']).unwrap_or(word.len());
    let (host, rest) = word.split_at(end);
    let labels: Vec<&str> = host.split('.').collect();
    let is_label =
        |label: &&str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let Some(last) = labels
        .last()
        .filter(|_| labels.len() > 1 && labels.iter().all(is_label))
    else {
        return false;
    };
    if last.len() < 2 || !last.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    // A sentence that begins right behind another one has a capital letter.
    let of_country = last.len() == 2 && last.bytes().all(|byte| byte.is_ascii_lowercase());
    rest.starts_with(['/', '?']) || of_country || ENDS.contains(&last.to_ascii_lowercase().as_str())
}

/// Digits of a national number that begins with a zero. Dates have fewer.
const NATIONAL: std::ops::RangeInclusive<usize> = 9..=11;
/// Digits of a number behind its plus, or of one with two zeros.
const WHOLE: std::ops::RangeInclusive<usize> = 8..=17;

/// Whether a text has a telephone number: written with a plus or two zeros, or with the zero of a national one. Other rows of digits, such as
/// numbers of orders and short numbers, are none.
fn has_number(text: &str) -> bool {
    let digits: String = text.chars().map(to_ascii_digit).collect();
    let belongs = |sign: char| sign.is_ascii_digit() || "+-() \u{a0}\u{200e}\u{200f}\u{202a}\u{202c}".contains(sign);
    digits.split(|sign: char| !belongs(sign)).any(|run| {
        // Each with the plus before it.
        let run = run.replace('+', " +");
        let groups: Vec<&str> = run
            .split(|sign: char| !sign.is_ascii_digit() && sign != '+')
            .filter(|group| group.bytes().any(|byte| byte.is_ascii_digit()))
            .collect();
        (0..groups.len()).any(|first| begins_number(&groups[first..]))
    })
}

/// Whether the first of these groups of digits begin a telephone number.
fn begins_number(groups: &[&str]) -> bool {
    let [first, rest @ ..] = groups else { return false };
    let is_date = matches!(groups, [day, month, year, ..]
        if day.len() == 2 && month.len() == 2 && year.len() == 4 && (year.starts_with("20") || year.starts_with("19")));
    let zeros = first.bytes().take_while(|byte| *byte == b'0').count();
    let lengths = match zeros {
        _ if first.starts_with('+') => WHOLE,
        2 => WHOLE,
        1 if !is_date => NATIONAL,
        _ => return false,
    };
    let mut length = first.trim_start_matches('+').len();
    if lengths.contains(&length) {
        return true;
    }
    let rest = rest.iter().take_while(|group| !group.starts_with('+'));
    for group in rest {
        length += group.len();
        if lengths.contains(&length) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::Date;

    use super::*;
    use crate::samples::AgainstRule;
    use crate::terms::SmsText;

    fn country(code: &str) -> Option<Country> {
        Some(code.parse().unwrap())
    }

    /// An SMS from a number.
    fn sms<'a>(code: &str, category: Category, text: &'a str) -> Sms<'a> {
        Sms {
            country: country(code),
            category,
            origin: Origin::Number,
            text,
            confirmed: &[],
        }
    }

    fn kinds(sms: &Sms<'_>) -> Vec<RuleKind> {
        sms.broken_rules().map(|rule| rule.kind()).collect()
    }

    #[test]
    fn each_rule_has_a_source_and_a_date() {
        let countries: Vec<Country> = RULES.countries.iter().map(|of| of.country).collect();
        assert_eq!(countries.iter().collect::<BTreeSet<_>>().len(), countries.len());
        let named: Vec<&str> = countries.iter().map(Country::as_str).collect();
        let first = ["AE", "SA", "QA", "OM", "KW", "BH", "IN", "TR", "US", "CA", "GB"];
        assert_eq!(named, first);
        for of in &RULES.countries {
            let rules: Vec<Rule> = rules_of(Some(of.country), &[]).collect();
            let kinds: BTreeSet<RuleKind> = rules.iter().map(Rule::kind).collect();
            assert!(!rules.is_empty() && kinds.len() == rules.len(), "{}", of.country);
            for rule in &rules {
                let Row {
                    source,
                    date,
                    says,
                    applies,
                    sureness,
                } = rule.row;
                let about = format!("{} {:?}", rule.country, says);
                assert!(source.len() > 20 && source.contains('.'), "{about}");
                assert!(date.parse::<Date>().is_ok(), "{about}");
                // Hours wait, and nothing else does.
                let waits = matches!(says, Says::PromotionHours(_));
                assert_eq!(*applies == Applies::Wait, waits, "{about}");
                // A rule that only others state refuses nothing, except SMS that cannot be sent without registration.
                let may_refuse =
                    *sureness == Sureness::Vendor || matches!(says, Says::Registration(Registered::Templates));
                assert!(*applies != Applies::Refuse || may_refuse, "{about}");
                let told = rule.refusal();
                let known = told.facts.names().collect::<BTreeSet<_>>();
                assert_eq!(known, ["country", "rule", "sureness"].into());
                assert_eq!(told.sentence.contains("not verified"), *sureness != Sureness::Vendor);
                assert!(told.sentence.contains(rule.country.as_str()));
            }
        }
    }

    /// A text for each kind of rule, in a country that has it and in one that has not.
    #[test]
    fn each_kind_of_rule_is_found() {
        use Category::{Marketing, Utility};
        use RuleKind::{Links, Numbers, Promotion, PromotionMark, Registration, Replies, Senders};
        for (code, category, text, expected) in [
            ("AE", Utility, "Your order is ready.", &[Senders][..]),
            (
                "AE",
                Utility,
                "Order at https://saffron.example. Reply STOP to opt out.",
                &[Senders, Replies, Links],
            ),
            ("AE", Utility, "Call +971 4 333 0000.", &[Senders, Numbers]),
            ("SA", Marketing, "20% off at saffron.sa", &[Senders]),
            ("SA", Utility, "أرسل توقف لإيقاف الرسائل", &[Senders, Replies]),
            (
                "OM",
                Utility,
                "Reply STOP to opt out: https://saffron.example",
                &[Replies],
            ),
            ("KW", Utility, "Your order is ready.", &[Senders]),
            ("BH", Utility, "Your order is ready.", &[Senders]),
            ("IN", Utility, "Your order is ready.", &[Registration]),
            ("TR", Utility, "Order at saffron.com", &[Senders, Links]),
            (
                "TR",
                Marketing,
                "Reply STOP to opt out.",
                &[Senders, Replies, Promotion],
            ),
            ("US", Utility, "Order at https://saffron.example", &[Registration]),
            (
                "CA",
                Utility,
                "Order at https://saffron.example, or call +1 604 555 0100",
                &[],
            ),
            (
                "GB",
                Marketing,
                "Order at https://saffron.example. Reply STOP to opt out.",
                &[],
            ),
            (
                "DE",
                Marketing,
                "Order at https://saffron.example. Reply STOP to opt out.",
                &[],
            ),
        ] {
            assert_eq!(kinds(&sms(code, category, text)), expected, "{code} {text}");
        }
        // The number that a Messaging Service sends from is not known.
        let by_service = Sms {
            origin: Origin::Service,
            ..sms("AE", Marketing, "20% off")
        };
        assert_eq!(kinds(&by_service), [PromotionMark]);
        let letters = Sms {
            origin: Origin::Letters {
                sender: "SAFFRON",
                registered: false,
            },
            ..sms("CA", Utility, "Ready")
        };
        assert_eq!(kinds(&letters), [Senders]);
        for (code, text, expected) in [
            ("GB", "Reply STOP to opt out.", &[Replies][..]),
            ("DE", "Reply STOP to opt out.", &[Replies]),
            ("DE", "Ready", &[]),
            ("AE", "Reply STOP to opt out.", &[Senders, Replies]),
        ] {
            let letters = Sms {
                origin: letters.origin,
                ..sms(code, Utility, text)
            };
            assert_eq!(kinds(&letters), expected, "{code} {text}");
            let refused = letters.refusal_by_rules().is_some();
            assert_eq!(refused, code == "AE", "{code} {text}");
        }
        let nowhere = Sms {
            country: None,
            ..sms("AE", Marketing, "Reply STOP: https://saffron.example")
        };
        assert_eq!(kinds(&nowhere), []);
    }

    /// Hours of promotion show as quiet hours.
    #[test]
    fn each_kind_of_rule_holds_until_it_is_confirmed() {
        let (mut known, mut seen) = (RuleKind::ALL.to_vec(), BTreeSet::new());
        known.retain(|kind| *kind != RuleKind::Unknown);
        for (against, confirmed) in AgainstRule::all() {
            seen.insert(against.rule);
            let config = against.case(confirmed).config;
            let then = &config.rules[0].then;
            let Some(SmsText::One(text)) = &then.sms_text else {
                panic!("{against:?}")
            };
            let sms = config.connections[0].sms(Some(against.country), then.category, None, text);
            let told: Vec<_> = sms
                .broken_rules()
                .map(|rule| (rule.kind(), rule.applies(), rule.refusal().sentence))
                .collect();
            let hours = promotion_hours(Some(against.country), then.category, sms.confirmed).is_some();
            let waits = against.applies == Applies::Wait;
            assert!(!waits || hours != confirmed, "{against:?}");
            let expected = (against.rule, against.applies, against.sentence.clone());
            let expected: Vec<_> = Some(expected).filter(|_| !confirmed && !waits).into_iter().collect();
            assert_eq!(told, expected, "{against:?}");
        }
        assert_eq!(seen, known.into_iter().collect());
    }

    /// Refusals in the Emirates, by the sender.
    #[test]
    fn letters_arrive_where_they_are_registered_and_marked() {
        let refused = |category: Category, origin: Origin<'_>, text: &str| {
            let sms = Sms {
                origin,
                ..sms("AE", category, text)
            };
            sms.refusal_by_rules()
                .map(|why| serde_json::to_value(&why.facts).unwrap()["rule"].clone())
        };
        let letters = |sender, registered| Origin::Letters { sender, registered };
        let (own, ready) = (letters("SAFFRON", true), "Your order is ready.");
        for (category, origin, text, rule) in [
            (Category::Utility, Origin::Number, ready, Some("senders")),
            (Category::Utility, letters("SAFFRON", false), ready, Some("senders")),
            (Category::Utility, own, ready, None),
            (Category::Utility, own, "Call 04 333 0000", Some("numbers")),
            (
                Category::Utility,
                own,
                "Order at saffron.ae. Reply STOP to opt out.",
                None,
            ),
            (Category::Marketing, own, ready, Some("promotion_mark")),
            (Category::Marketing, letters("AD-SAFFRON", true), ready, None),
            // It may have such letters.
            (Category::Marketing, Origin::Service, ready, None),
        ] {
            let expected = rule.map(serde_json::Value::from);
            assert_eq!(
                refused(category, origin, text),
                expected,
                "{category:?} {origin:?} {text}"
            );
        }
        let takes = |code: &str| takes_letters(code.parse().unwrap());
        let taking = ["AE", "GB", "BH", "DE", "US", "CA", "JM"].map(takes);
        assert_eq!(taking, [true, true, true, true, false, false, false]);
    }

    /// A rule that a later version stored is read, and holds nothing.
    #[test]
    fn unknown_kind_of_rule_is_read() {
        let rule: ConfirmedRule = serde_json::from_str(r#"{"country": "AE", "rule": "moon"}"#).unwrap();
        assert_eq!(rule.rule, RuleKind::Unknown);
        assert_eq!(
            rules_of(country("AE"), &[rule]).count(),
            rules_of(country("AE"), &[]).count()
        );
    }

    #[test]
    fn way_out_is_one_that_the_country_allows() {
        for (code, way_out) in [
            ("AE", WayOut::Number("7726")),
            ("SA", WayOut::Elsewhere),
            ("GB", WayOut::Reply),
            ("DE", WayOut::Reply),
        ] {
            assert_eq!(WayOut::of(country(code)), way_out);
            for (_, sentence) in way_out.sentences() {
                let broken = kinds(&sms(code, Category::Utility, &sentence));
                assert!(!broken.contains(&RuleKind::Replies), "{sentence}");
            }
        }
        assert_eq!(WayOut::of(None), WayOut::Reply);
    }

    #[test]
    fn confirmed_rule_does_not_hold() {
        let confirmed = |code: &str, rule: RuleKind| {
            [ConfirmedRule {
                country: code.parse().unwrap(),
                rule,
            }]
        };
        let ready = sms("IN", Category::Utility, "Your order is ready.");
        let why = ready.refusal_by_rules().unwrap();
        assert_eq!(why.reason, Reason::CountryRule);
        assert!(
            why.sentence
                .ends_with("confirm it in `confirmed_rules` of the connection")
        );
        for (code, rule, refuses) in [
            ("IN", RuleKind::Registration, false),
            ("IN", RuleKind::Links, true),
            ("US", RuleKind::Registration, true),
        ] {
            let with = Sms {
                confirmed: &confirmed(code, rule),
                ..ready
            };
            assert_eq!(with.refusal_by_rules().is_some(), refuses, "{code} {rule:?}");
        }
        let hours = |code: &str, category: Category, confirmed: &[ConfirmedRule]| {
            let hours = promotion_hours(country(code), category, confirmed)?;
            Some((hours.from.to_string(), hours.to.to_string()))
        };
        let night = Some(("21:00".to_owned(), "07:00".to_owned()));
        let own = confirmed("AE", RuleKind::PromotionHours);
        assert_eq!(hours("AE", Category::Marketing, &[]), night);
        assert_eq!(hours("AE", Category::Utility, &[]), None);
        assert_eq!(hours("AE", Category::Marketing, &own), None);
        assert_eq!(
            hours("SA", Category::Marketing, &own),
            Some(("22:00".to_owned(), "07:00".to_owned()))
        );
        assert_eq!(hours("DE", Category::Marketing, &[]), None);
    }

    #[test]
    fn links_are_found_as_telephones_show_them() {
        for text in [
            "https://saffron.example/a",
            "Order: HTTP://SAFFRON.EXAMPLE",
            "see www.saffron.example.",
            "write to wa.me/971501234567",
            "(saffron.ae)",
            "اطلب من saffron.com، أو اتصل",
            "saffron-bakery.co.uk?x=1",
            "Saffron.Com",
        ] {
            assert!(has_link(text), "{text}");
        }
        for text in [
            "",
            "Your order is ready.Come by",
            "Open 9 a.m. to 5 p.m., e.g. today",
            "AED 1,200.50",
            "shop@saffron.example",
            "12.11.2026",
            "See you soon...",
            "1/2 cake",
        ] {
            assert!(!has_link(text), "{text}");
        }
    }

    #[test]
    fn telephone_numbers_are_found_in_their_spellings() {
        for text in [
            "+97143330000",
            "Call +971 (4) 333-0000 now",
            "00971 4 333 0000",
            "04 333 0000",
            "050-1234567",
            "اتصل على ٠٥٠١٢٣٤٥٦٧",
            "2 cakes: 020 7946 0000",
            "\u{200e}+971 4 333 0000\u{200e}",
            "10% off +971501234567",
        ] {
            assert!(has_number(text), "{text}");
        }
        for text in [
            "",
            "Order 1042 is ready at 14:30",
            "01-12-2026 09:00",
            "01/12/2026",
            "0900-1700",
            "Your code is 004512",
            "AED 1200",
            "Invoice 2026 000 123 456",
            "7726",
        ] {
            assert!(!has_number(text), "{text}");
        }
    }
}
