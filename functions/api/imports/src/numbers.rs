//! How telephone numbers in forms are read: as in tables of contacts, by the country of the business.

use api::{Allowed, Api, Query, permits};
use axum::Json;
use axum::extract::State;
use domain::tenants::Region;
use domain::terms::{Country, Fault, FaultCode, Phone, Verbatim};
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sheet::phone::{Examples, Kind, examples, kind, read};

/// Country of the examples if the country of the business is not known.
const USUAL: &str = "AE";

/// A number to read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberQuery {
    /// Number as somebody wrote it. Without it, the answer has only the examples.
    #[schemars(example = &"050 123 4567")]
    text: Option<Verbatim<1, 60>>,
    /// Country of national numbers. Default: the tenant's.
    #[serde(default)]
    #[schemars(with = "Region", example = &"AE")]
    country: Option<Region>,
}

/// A telephone number as it was read, and examples of its country's numbers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NumberReading")]
pub(crate) struct NumberOut {
    /// Number. `null` without a text.
    number: Option<ReadNumber>,
    /// Example of a national number, if a country is known.
    #[schemars(example = "050 123 4567")]
    national_example: Option<String>,
    /// Example of a number with the country's code.
    #[schemars(example = "+971 50 123 4567")]
    example: String,
}

/// A telephone number that was read.
#[derive(Debug, Serialize, JsonSchema)]
struct ReadNumber {
    /// Number as all operations take it.
    phone: Phone,
    /// Number as people read it.
    #[schemars(example = "+971 50 123 4567")]
    formatted: String,
    /// Country of the number. `null` if no country has its calling code.
    country: Option<Country>,
    /// Kind of its line.
    kind: Kind,
    /// Whether the number is in no range that is known in its country.
    is_unknown: bool,
}

pub(crate) async fn read_phone_number(
    who: Allowed<permits::TenantRead>,
    State(api): State<Api>,
    Query(NumberQuery { text, country }): Query<NumberQuery>,
) -> Result<Json<NumberOut>, Problem> {
    let region = match country {
        Some(country) => Some(country.as_str().to_owned()),
        None => {
            let tenant = api.store().tenant(who.scope()).await?;
            tenant.and_then(|tenant| tenant.default_region)
        }
    };
    let region = region.as_deref();
    let own = region.and_then(examples);
    let has_own = own.is_some();
    let Some(examples) = own.or_else(|| examples(USUAL)) else {
        return Err(Problem::unavailable());
    };
    let named = region.filter(|_| has_own);
    let number = text
        .map(|text| number(text.as_str(), region, named, &examples))
        .transpose();
    Ok(Json(NumberOut {
        number: number.map_err(|fault| Problem::field("text", fault))?,
        national_example: has_own.then_some(examples.national),
        example: examples.international,
    }))
}

/// Reads a number in a region; `named` is the region of the examples.
fn number(text: &str, region: Option<&str>, named: Option<&str>, examples: &Examples) -> Result<ReadNumber, Fault> {
    // The text is a number, whatever it looks like.
    let found = read(text, region, &|| true).map_err(|unread| match unread.meanings {
        Some([one, other]) => {
            let detail = "This may be either of two numbers. Write one of them, with a plus and its country code.";
            let fault = Fault::new(FaultCode::TwoMeanings, detail);
            fault.and("one", one).and("other", other)
        }
        None => {
            let Examples {
                national,
                international,
            } = examples;
            let detail = match named {
                Some(region) => {
                    format!("Expected a telephone number, such as {national} in {region}, or {international}.")
                }
                None => format!("Expected a telephone number with its country code, such as {international}."),
            };
            Fault::format("phone", if named.is_some() { national } else { international }, detail)
        }
    })?;
    Ok(ReadNumber {
        formatted: found.phone.international(),
        country: found.phone.country(),
        kind: kind(&found.phone),
        is_unknown: found.remark.is_some(),
        phone: found.phone,
    })
}
