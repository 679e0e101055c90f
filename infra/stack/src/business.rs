//! Businesses created in a running stack for one test or one run: others' customers, faults and pauses do not affect them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use domain::terms::Phone;
use jiff::Timestamp;
use serde_json::{Value, json};
use ulid::Ulid;

use crate::aws::Aws;
use crate::endpoints::Tenant;
use crate::people::{self, Registry};
use crate::place::Place;
use crate::play::Play;
use crate::secrets::{Vault, random, random_hex};
use crate::seed::{self, Seed};
use crate::tenant::{self, Deployment, TenantFile};

/// Creates businesses in one running stack.
#[derive(Clone)]
pub struct Town {
    /// The CloudFormation stack's outputs by name.
    pub outputs: BTreeMap<String, String>,
    play: Play,
    deployment: Deployment,
    registry: Registry,
    model: PathBuf,
    data: PathBuf,
}

/// The plan of a business, which can be changed before it opens.
pub struct Plan {
    /// The tenant's file, with ids and secrets filled in. Modelled on the seeded bakery: WhatsApp first, then SMS, open all day.
    pub file: Value,
    /// Fields of the simulators' entry in addition to those derived from the file.
    pub simulated: Value,
}

impl Plan {
    /// A connection in the file by kind: twilio, whatsapp or telephony.
    pub fn connection(&mut self, kind: &str) -> &mut Value {
        let connections = self.file["connections"].as_array_mut();
        let found = connections.and_then(|all| all.iter_mut().find(|one| one["account"]["kind"] == kind));
        found.expect("the bakery has a connection of each kind")
    }

    /// Forwards calls to a phone first, so that they have a dial result.
    pub fn forward_calls(&mut self) {
        self.connection("twilio")["account"]["voice"] =
            json!({ "handling": "forward", "forward_to": "+971501234567", "forward_timeout_seconds": 15 });
    }

    /// Sends WhatsApp through Twilio, from this number.
    pub fn whatsapp_through_twilio(&mut self, sender: &Phone) {
        let twilio = self.connection("twilio");
        twilio["account"]["whatsapp_sender"] = json!(sender);
        let id = twilio["id"].clone();
        self.file["lines"][0]["whatsapp"] = id;
        for template in self.file["templates"].as_array_mut().into_iter().flatten() {
            template["content_sid"] = "HX00000000000000000000000000000001".into();
        }
    }

    /// Raises the limits of the plan beyond what software or a test asks within a minute, and loads within a day.
    pub fn lift_limits(&mut self) {
        self.file["tenant"]["limits"] = json!({
            "principal_per_minute": 100_000, "requests_per_minute": 100_000, "messages_per_day": 1_000_000,
            "messages_per_month": 10_000_000, "contacts": 1_000_000, "imports_per_day": 1_000, "sockets": 200,
        });
    }

    /// Sets what follows a call.
    pub fn then(&mut self) -> &mut Value {
        &mut self.file["rules"][0]["then"]
    }
}

impl Town {
    /// For a running stack with the data directory `data`.
    pub async fn new(play: &Play, aws: &Aws, place: &Place, data: &Path) -> Result<Self> {
        let outputs = aws.outputs(&play.endpoints.stack).await?;
        let deployment = Deployment::new(&outputs, aws).await?;
        let (store, signer) = (deployment.store.clone(), deployment.signer(&outputs)?);
        Ok(Self {
            play: play.clone(),
            registry: Registry::new(store, signer, &mut Vault::open(data)?)?,
            deployment,
            model: place.root.join("infra/stack/tenants/bakery.json"),
            data: data.to_owned(),
            outputs,
        })
    }

    /// The registry, which creates users.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The deployment's shared Meta app: its app secret and verify token.
    pub fn meta_app(&self) -> Result<(String, String)> {
        let mut vault = Vault::open(&self.data)?;
        Ok((vault.secret("meta.app_secret")?, vault.secret("meta.verify_token")?))
    }

    /// Opens a business, with these changes of its plan.
    pub async fn open(&self, name: &str, change: impl FnOnce(&mut Plan)) -> Result<Tenant> {
        let mut plan = Plan {
            file: self.model(name)?,
            simulated: json!({}),
        };
        change(&mut plan);
        let file: TenantFile = serde_json::from_value(plan.file).context("parsing the tenant of a test")?;
        // Ids are valid in a domain name after replacing the underscore by a hyphen.
        let domain = format!("{}.example", file.tenant.id).replace('_', "-");
        let users = people::users(&domain, self.registry.password());
        let seed = Seed::new(file, people::api_key(&random_hex(16)?)?, users)?;
        seed.write(&self.deployment, &self.registry).await?;
        let tenant = seed.endpoint();
        let mut simulated = seed::simulators("", &[seed]);
        let mut entry = simulated["tenants"][0].take();
        deep_merge(&mut entry, plan.simulated);
        self.play.post("/tenants", &entry).await?;
        Ok(tenant)
    }

    /// The seeded bakery with its own ids, numbers and secrets, open all day.
    fn model(&self, name: &str) -> Result<Value> {
        // What names the same thing names it afterwards, too.
        let mut ids = BTreeMap::<String, String>::new();
        let mut file = tenant::read_value(&self.model, &mut |text| {
            if text.starts_with("$secret:") {
                return random_hex(16).map(Some);
            }
            if text.starts_with("$whsec:") {
                return Ok(Some(seed::whsec(&random_hex(16)?)));
            }
            let Some((prefix @ ("tnt" | "conn" | "line" | "rule" | "prd"), _)) = text.split_once('_') else {
                return Ok(None);
            };
            let own = format!("{prefix}_{}", new_ulid()?);
            Ok(Some(ids.entry(text.to_owned()).or_insert(own).clone()))
        })?;
        file["tenant"]["name"] = name.into();
        if let Some(tenant) = file["tenant"].as_object_mut() {
            tenant.remove("business_hours");
        }
        // Storms and loads send more than the usual caps allow. What is sent is counted all the same.
        file["tenant"]["caps"] = json!([
            {"number": 1, "period": "day", "maximum": 1_000_000},
            {"number": 2, "period": "month", "maximum": 10_000_000},
        ]);
        let digits = format!("{:010}", random(5)? % 10_000_000_000);
        let mut plan = Plan {
            file,
            simulated: Value::Null,
        };
        let account = &mut plan.connection("twilio")["account"];
        account["account_sid"] = format!("AC{}", random_hex(16)?).into();
        let number = format!("+9714{}", &digits[..7]);
        account["numbers"] = json!([number]);
        // What is sent here must not depend on the time of day.
        account["confirmed_rules"] = json!([{"country": "AE", "rule": "promotion_hours"}]);
        plan.file["lines"][0]["number"] = number.into();
        let send = &mut plan.connection("twilio")["send"];
        send["api_key_sid"] = format!("SK{}", random_hex(16)?).into();
        let account = &mut plan.connection("whatsapp")["account"];
        account["waba_id"] = format!("90{digits}").into();
        account["phone_number_id"] = format!("91{digits}").into();
        account["display_number"] = format!("+97155{}", &digits[..7]).into();
        Ok(plan.file)
    }
}

/// A new ULID in lower case.
pub fn new_ulid() -> Result<String> {
    let now = u64::try_from(Timestamp::now().as_millisecond()).context("the clock is past 1970")?;
    Ok(Ulid::from_parts(now, random(10)?).to_string().to_ascii_lowercase())
}

fn deep_merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                deep_merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}
