use domain::people::{ChangeIn, Conditions, Day, Digits, Field, Filter, MAX_CHOSEN, Origin, Search, Word, Written};
use domain::terms::{
    ContactId, Country, Email, Fault, FieldKey, Language, OneLine, Phone, SegmentId, StageId, TagId, UpTo, UserId,
    Verbatim,
};
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Conditions that the contacts fulfil, all of them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactQuery {
    /// Whole telephone number in any spelling. National numbers belong to the tenant's country.
    #[schemars(example = &"+97145550001")]
    pub(crate) phone: Option<Verbatim<1, 40>>,
    /// E-mail address.
    pub(crate) email: Option<Email>,
    /// Last digits of a telephone number, or the number in any spelling. A national number is one of the tenant's country, if that has it.
    pub(crate) digits: Option<Digits>,
    /// Beginnings of the first five different words of the name, in any order, whatever the case, accents and spellings of
    /// letters.
    #[schemars(example = &"maya had")]
    pub(crate) name: Option<OneLine<1, 60>>,
    /// Tag.
    #[schemars(extend("x-refers" = true))]
    pub(crate) tag: Option<TagId>,
    /// Key of a searchable field, for `value`, `from`, `to` or `day`.
    #[schemars(extend("x-refers" = true))]
    pub(crate) field: Option<FieldKey>,
    /// Value of the field, whatever its case.
    #[schemars(example = &"Gold", extend("x-refers" = true))]
    pub(crate) value: Option<OneLine<1, 500>>,
    /// Lowest value of the field.
    #[schemars(example = &"10", extend("x-refers" = true))]
    pub(crate) from: Option<OneLine<1, 500>>,
    /// Highest value of the field.
    #[schemars(example = &"20", extend("x-refers" = true))]
    pub(crate) to: Option<OneLine<1, 500>>,
    /// Day of any year, for a field of the type `date`, such as a birthday.
    #[schemars(extend("x-refers" = true))]
    pub(crate) day: Option<Day>,
    /// Stage of the lead.
    #[schemars(extend("x-refers" = true))]
    pub(crate) stage: Option<StageId>,
    /// Responsible user. Only together with a condition that has a list.
    #[schemars(extend("x-refers" = true))]
    pub(crate) owner: Option<UserId>,
    /// Source of the lead. Only together with a condition that has a list.
    #[schemars(example = &"Web form", extend("x-refers" = true))]
    pub(crate) source: Option<Origin>,
    /// Language. Only together with a condition that has a list.
    #[schemars(extend("x-refers" = true))]
    pub(crate) language: Option<Language>,
    /// Whether to list deleted contacts instead of the others.
    pub(crate) deleted: Option<bool>,
    /// Whether to list only contacts that a provider reported to be the same person as another.
    pub(crate) duplicates: Option<bool>,
    /// Order of the list that the conditions lead to. Default: `asc`.
    #[schemars(example = &"desc")]
    pub(crate) order: Option<Order>,
}

impl ContactQuery {
    /// Whether it may name a national number, which is one of the tenant's country.
    pub(crate) fn names_a_national_number(&self) -> bool {
        let phone = self.phone.as_ref().and_then(|phone| phone.as_str().parse().ok());
        let mut numbers = phone.iter().chain(&self.digits);
        numbers.any(Digits::may_be_national)
    }

    /// The search that the query asks for. `home`: the tenant's country, if it counts.
    ///
    /// # Errors
    /// 422 that names the parameter; 400 if no condition has a list.
    pub(crate) fn search(self, definitions: &[Field], home: Option<Country>) -> Result<Search, Problem> {
        let conditions = Conditions {
            tag: self.tag,
            field: self.field,
            value: self.value.map(Written::Text),
            from: self.from.map(Written::Text),
            to: self.to.map(Written::Text),
            day: self.day,
            stage: self.stage,
            owner: self.owner,
            source: self.source,
            language: self.language,
        };
        let filter = conditions
            .filter(definitions)
            .map_err(|wrong| Problem::from(vec![wrong]))?;
        let name = self.name.as_ref().map(OneLine::as_str);
        let words = name.map(Word::of).unwrap_or_default();
        if name.is_some() && words.is_empty() {
            let fault = Fault::format("name", "maya had", "A name is searched by its letters and digits.");
            return Err(Problem::field("name", fault));
        }
        let number = |written: Verbatim<1, 40>| {
            let detail =
                "Expected a whole telephone number, such as +442079460000. Search for parts of one by `digits`.";
            let fault = || Fault::format("phone", "+442079460000", detail);
            let written: Option<Digits> = written.as_str().parse().ok();
            let number = written.and_then(|written| written.at(home).number());
            number.ok_or_else(|| Problem::field("phone", fault()))
        };
        let filter = Filter {
            phone: self.phone.map(number).transpose()?,
            email: self.email,
            digits: self.digits.map(|digits| digits.at(home)),
            name: words,
            deleted: self.deleted.unwrap_or_default(),
            duplicates: self.duplicates.unwrap_or_default(),
            ..filter
        };
        filter.search().ok_or_else(|| {
            Problem::bad_request(format!(
                "No list has these contacts. Add at least one of the conditions `phone`, `email`, `digits`, `name`, \
                 `duplicates`, {}.",
                Conditions::DRIVERS
            ))
        })
    }
}

/// Order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// From the lowest or oldest to the highest or newest.
    #[default]
    Asc,
    /// The other way round.
    Desc,
}

/// A telephone number for a contact.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhoneIn {
    /// Telephone number. No other contact has it.
    #[schemars(extend("x-unique" = true))]
    pub(crate) phone: Phone,
    /// Whether it becomes the preferred number.
    #[serde(default)]
    pub(crate) preferred: bool,
}

/// An e-mail address for a contact.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmailIn {
    /// E-mail address. No other contact has it.
    #[schemars(extend("x-unique" = true))]
    pub(crate) email: Email,
    /// Whether it becomes the preferred address.
    #[serde(default)]
    pub(crate) preferred: bool,
}

/// A change of many contacts, either named ones or the contacts of a segment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactChangesIn {
    /// Contacts to change. Not together with `segment`.
    #[serde(default)]
    pub(crate) contacts: UpTo<MAX_CHOSEN, ContactId>,
    /// Segment whose contacts change.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    pub(crate) segment: Option<SegmentId>,
    /// The change.
    pub(crate) change: ChangeIn,
}
