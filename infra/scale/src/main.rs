//! Measures every list and search of contacts with a few thousand contacts and with a million, and a minute of drips with as many enrolled,
//! against DynamoDB on SQLite:
//!
//! ```sh
//! cargo run --release --manifest-path infra/scale/Cargo.toml -- 1000000
//! ```
//!
//! The rows are those that `store` writes: it creates some contacts, and copies of their rows, with other ids, names and numbers, make up
//! the rest. The program fails if the requests or the read units of a page, or of a minute, grow with the number of contacts.

mod campaigns;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    time::Instant,
};

use anyhow::{Context as _, Result, bail, ensure};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use domain::{base::{actor::{Actor, Stamp}, ids::{ContactId, FieldId, StageId, TagId, TenantId}, external::ShownName}, contacts::{contact::Contact, field::FieldValue, filter::{Driver, Filter, Test}, listing::{Day, Word}, person::Person, profile::{Profile, Staged}}};
use dynoxide::{Database, ImportOptions, types::Item};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{Authority, Store, TenantScope, contacts::people::{Brought, Position}, table::usage};
use ulid::Ulid;

#[path = "../../../shared/testkit/src/template.rs"]
#[expect(dead_code, reason = "only the table is read")]
mod template;

const TABLE: &str = "scale";

/// Contacts that the store itself creates.
const SAMPLES: u64 = 20;

/// Contacts of the small table.
const FEW: u64 = 10_000;

/// Contacts per page, and pages per search.
const PAGE: i32 = 50;
const PAGES: usize = 10;

/// First names of the samples; their last names are unique.
const NAMES: [&str; 10] = [
    "Maya", "Omar", "Layla", "Yusuf", "Anna", "José", "Priya", "Chen", "Fatima", "Noah",
];

#[tokio::main]
async fn main() -> Result<()> {
    let count = match std::env::args().nth(1) {
        Some(text) => text.parse().context("the argument is a number of contacts")?,
        None => 1_000_000,
    };
    ensure!(count > FEW, "the number of contacts must be above {FEW}");
    let folder = std::env::temp_dir().join(format!("scale-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let compared = async {
        campaigns::compare(&folder, count).await?;
        compare(&folder, count).await
    };
    let outcome = compared.await;
    std::fs::remove_dir_all(&folder)?;
    outcome
}

async fn compare(folder: &Path, count: u64) -> Result<()> {
    let few = measured(&folder.join("few.db"), FEW).await?;
    let many = measured(&folder.join("many.db"), count).await?;
    println!("\n| search | contacts | pages | contacts per page | requests per page | read units per page |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let mut worse = Vec::new();
    for (name, few) in &few {
        let many = &many[name];
        few.print(name, FEW);
        many.print(name, count);
        // A page of the small table may be the last one, and cheaper.
        let full = |cost: &Cost| cost.found == PAGE as usize;
        if many.requests > few.requests.max(2) || (full(few) && full(many) && many.units > few.units * 1.05) {
            worse.push(*name);
        }
    }
    ensure!(worse.is_empty(), "a page costs more with more contacts: {worse:?}");
    println!("\nno page costs more with {count} contacts than with {FEW}");
    Ok(())
}

/// Greatest cost of a page.
#[derive(Debug, Default)]
struct Cost {
    pages: usize,
    found: usize,
    requests: u64,
    units: f64,
}

impl Cost {
    fn print(&self, name: &str, contacts: u64) {
        let Self {
            pages,
            found,
            requests,
            units,
        } = self;
        println!("| {name} | {contacts} | {pages} | {found} | {requests} | {units:.1} |");
    }
}

/// Does something with the store of a tenant on an empty table at this path.
async fn served<T>(path: &Path, what: impl AsyncFnOnce(&Database, Store, TenantScope) -> Result<T>) -> Result<T> {
    let path = path.to_str().context("the folder's name is text")?;
    let database = Database::new(path).map_err(|error| anyhow::anyhow!("{error}"))?;
    make_table(&database)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = database.clone();
    let server = tokio::spawn(dynoxide::server::serve_with_shutdown(listener, served, async {
        let _dropped = stopped.await;
    }));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .build();
    let store = Store::new(aws_sdk_dynamodb::Client::from_conf(config), TABLE);
    let scope = TenantScope::mint(TenantId::new(Ulid::from_parts(1, 1)), Authority::Operator);
    let done = what(&database, store, scope).await?;
    drop(stop);
    server.await?.map_err(anyhow::Error::msg)?;
    Ok(done)
}

async fn measured(path: &Path, count: u64) -> Result<BTreeMap<&'static str, Cost>> {
    served(path, async |database, store, scope| {
        let town = Town {
            store,
            scope,
            tag: TagId::new(Ulid::from_parts(2, 2)),
            rare: TagId::new(Ulid::from_parts(3, 3)),
            stage: StageId::new(Ulid::from_parts(4, 4)),
            born: FieldId::new(Ulid::from_parts(5, 5)),
            orders: FieldId::new(Ulid::from_parts(6, 6)),
        };
        let begun = Instant::now();
        let rows = town.fill(database, count).await?;
        let seconds = begun.elapsed().as_secs();
        println!("{count} contacts, {rows} rows, filled in {seconds} s");
        let mut costs = BTreeMap::new();
        for (name, filter) in town.searches(count)? {
            costs.insert(name, town.measure(name, &filter).await?);
        }
        Ok(costs)
    })
    .await
}

/// Creates the table as `template.yaml` defines it.
fn make_table(database: &Database) -> Result<()> {
    let (_, table) = template::resources("AWS::DynamoDB::Table")
        .next()
        .context("the template has a table")?;
    let properties = &table["Properties"];
    let request = json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": properties["AttributeDefinitions"],
        "KeySchema": properties["KeySchema"],
        "GlobalSecondaryIndexes": properties["GlobalSecondaryIndexes"],
    });
    let made = database.create_table(serde_json::from_value(request)?);
    made.map_err(|error| anyhow::anyhow!("create the table: {error}"))?;
    Ok(())
}

/// A tenant and what its contacts have.
struct Town {
    store: Store,
    scope: TenantScope,
    /// A tag of every contact.
    tag: TagId,
    /// A tag of few contacts.
    rare: TagId,
    stage: StageId,
    born: FieldId,
    orders: FieldId,
}

/// The contact of this number. Its last name, number and id occur nowhere else.
struct Made {
    id: String,
    surname: String,
    digits: String,
}

impl Made {
    fn new(number: u64) -> Self {
        let letter = |place: u32| char::from(b'a' + u8::try_from(number / 26_u64.pow(place) % 26).unwrap_or(0));
        Self {
            id: Ulid::from_parts(1_763_000_000_000 + number, u128::from(number)).to_string(),
            surname: (0..6).map(|place| letter(5 - place)).chain("qxz".chars()).collect(),
            digits: format!("9715{number:08}"),
        }
    }

    fn words(&self) -> [(String, String); 4] {
        let reversed = self.digits.chars().rev().collect();
        [
            ("id", self.id.clone()),
            ("lower", self.id.to_lowercase()),
            ("digits", self.digits.clone()),
            ("reversed", reversed),
        ]
        .map(|(name, word)| (name.to_owned(), word))
    }
}

impl Town {
    /// Fills the table. Returns the number of rows.
    async fn fill(&self, database: &Database, count: u64) -> Result<u64> {
        let mut samples = Vec::new();
        for number in 0..SAMPLES {
            let before = rows(database)?;
            self.create(number).await?;
            let mut own = rows(database)?;
            own.retain(|row| !before.contains(row));
            ensure!(!own.is_empty(), "the store wrote no rows");
            let texts: Vec<String> = own.iter().map(Value::to_string).collect();
            samples.push((Made::new(number), texts));
        }
        let mut total: u64 = samples.iter().map(|(_, rows)| rows.len() as u64).sum();
        let failed = |error| anyhow::anyhow!("fill the table: {error}");
        database.enable_bulk_loading().map_err(failed)?;
        let mut batch: Vec<Item> = Vec::new();
        for number in SAMPLES..count {
            let (sample, rows) = &samples[usize::try_from(number % SAMPLES)?];
            let made = Made::new(number);
            for row in rows {
                let mut row = row.clone();
                for ((_, old), (_, new)) in sample.words().iter().zip(made.words()) {
                    row = row.replace(old, &new);
                }
                row = row.replace(&sample.surname, &made.surname);
                batch.push(serde_json::from_str(&row)?);
            }
            if batch.len() > 20_000 || number + 1 == count {
                total += batch.len() as u64;
                let rows = std::mem::take(&mut batch);
                database
                    .import_items(TABLE, rows, ImportOptions::default())
                    .map_err(failed)?;
            }
            if number % 100_000 == 0 {
                println!("{number} of {count} contacts");
            }
        }
        database.disable_bulk_loading().map_err(failed)?;
        Ok(total)
    }

    async fn create(&self, number: u64) -> Result<()> {
        let made = Made::new(number);
        let at: Timestamp = "2026-11-20T12:00:00Z".parse()?;
        let mut contact = Contact::new(ContactId::new(made.id.parse()?), at);
        contact.phones.push(format!("+{}", made.digits).parse()?);
        contact.named = true;
        let first = NAMES[usize::try_from(number)? % NAMES.len()];
        let mut profile = Profile::named(ShownName::of(&format!("{first} {}", made.surname)));
        profile.tags.insert(self.tag);
        if number % 10 == 0 {
            profile.tags.insert(self.rare);
        }
        profile.stage = Some(Staged {
            stage: self.stage,
            since: at,
        });
        let born = FieldValue::Date(format!("1990-02-{:02}", 1 + number % 20).parse()?);
        profile.fields.insert(self.born, born);
        let orders = FieldValue::Number((number % 20).to_string().parse()?);
        profile.fields.insert(self.orders, orders);
        profile.listed.extend([self.born, self.orders]);
        let stamp = Stamp {
            actor: Actor::Operator,
            at,
            correlation_id: "scale".to_owned(),
        };
        let person = Person { contact, profile };
        self.store
            .create_person(&self.scope, &person, &Brought::default(), &stamp)
            .await?;
        Ok(())
    }

    /// Searches by each list of the table.
    fn searches(&self, count: u64) -> Result<Vec<(&'static str, Filter)>> {
        let all = Filter::default;
        let last = Made::new(count - 1);
        let field = |field, test| Filter {
            field: Some((field, test)),
            ..all()
        };
        let number = |number: u64| -> Result<_> { Ok(FieldValue::Number(number.to_string().parse()?)) };
        let day = FieldValue::Date("1990-02-05".parse()?);
        let FieldValue::Date(date) = &day else {
            bail!("a date is a date")
        };
        let digits = |count: usize| last.digits[last.digits.len() - count..].parse();
        Ok(vec![
            ("all contacts", all()),
            (
                "phone",
                Filter {
                    phone: Some(format!("+{}", last.digits).parse()?),
                    ..all()
                },
            ),
            (
                "last 4 digits",
                Filter {
                    digits: Some(digits(4)?),
                    ..all()
                },
            ),
            (
                "name, one word",
                Filter {
                    name: Word::of("maya"),
                    ..all()
                },
            ),
            (
                "name, two words, one contact",
                Filter {
                    name: Word::of(&format!("maya {}", Made::new(count - SAMPLES).surname)),
                    ..all()
                },
            ),
            (
                "tag of all",
                Filter {
                    tag: Some(self.tag),
                    ..all()
                },
            ),
            (
                "tag of few",
                Filter {
                    tag: Some(self.rare),
                    ..all()
                },
            ),
            (
                "stage",
                Filter {
                    stage: Some(self.stage),
                    ..all()
                },
            ),
            (
                "field, between",
                field(self.orders, Test::Between(Some(number(5)?), Some(number(9)?))),
            ),
            ("field, equals", field(self.born, Test::Equals(day.clone()))),
            ("date of any year", field(self.born, Test::OnDay(Day::of(*date)))),
            (
                "tag of all, then a language that nobody has",
                Filter {
                    tag: Some(self.tag),
                    language: Some("fr".parse()?),
                    ..all()
                },
            ),
        ])
    }

    /// Reads the first pages of a search.
    async fn measure(&self, name: &str, filter: &Filter) -> Result<Cost> {
        let search = filter.clone().search().with_context(|| format!("{name} has a list"))?;
        let mut cost = Cost::default();
        let mut after: Option<Position> = None;
        let _before = usage::take();
        for _page in 0..PAGES {
            let page = self
                .store
                .search_contacts(&self.scope, &search, after.as_ref(), PAGE, false)
                .await?;
            let used = usage::take();
            cost.pages += 1;
            cost.found = cost.found.max(page.items.len());
            cost.requests = cost.requests.max(used.requests);
            cost.units = cost.units.max(used.read_units);
            let Some(next) = page.next else {
                break;
            };
            after = Some(position(&search.driver, &next)?);
        }
        ensure!(cost.found > 0 || filter.language.is_some(), "{name} found nobody");
        Ok(cost)
    }
}

fn position(driver: &Driver, text: &str) -> Result<Position> {
    Position::read(text, driver).with_context(|| format!("a position of {driver:?}"))
}

/// All rows of a small table.
fn rows(database: &Database) -> Result<Vec<Value>> {
    let found = database.scan(serde_json::from_value(json!({ "TableName": TABLE }))?);
    let found = found.map_err(|error| anyhow::anyhow!("read the samples: {error}"))?;
    ensure!(found.last_evaluated_key.is_none(), "the samples fit into a page");
    let items: Vec<HashMap<_, _>> = found.items.unwrap_or_default();
    items.iter().map(|item| Ok(serde_json::to_value(item)?)).collect()
}
