//! Reading of the templates, products, assets and fields of contacts that a message needs.

use std::collections::{BTreeSet, HashSet};

use domain::campaigns::{Campaign, Exits};
use domain::media::Asset;
use domain::messages::{Leg, Material, Needs, NewLinks, TemplateNeed};
use domain::money::Product;
use domain::people::Field;
use domain::templates::TemplateDefinition;
use domain::tenants::Connection;
use domain::terms::{CampaignId, CampaignState, ConnectionId, ProductId};
use futures::future::try_join_all;
use jobs::SentWith;

use crate::messages::file_key;
use crate::table::keys::{self, Key};
use crate::table::{owned, row};
use crate::{Along, Owned, Part, Pointer, Store, StoreError, TenantScope, Versioned};

/// Maximum languages of a template at Meta.
const MAX_LANGUAGES: i32 = 100;

/// Maximum templates that are read by their keys.
const MAX_BY_KEY: usize = 20;

impl Owned for TemplateDefinition {
    const KIND: &'static str = "template";
    const PART: Part = Part::Templates;
    const PREFIX: &'static str = "conn_";
    /// Meta's own limit for an account.
    const MAX: u32 = 6_000;
    const VERSIONS: Option<&'static str> = Some("template_version");
    const PLACED_BY_NUMBER: bool = false;
    const REUSES_KEYS: bool = true;

    fn id(&self) -> String {
        let connection = self.connection.map(|connection| connection.to_string());
        format!("{}#{}#{}", connection.unwrap_or_default(), self.name, self.language)
    }

    /// Of each content, the last version is kept: states, ratings and claims raise the number of a row far more often.
    fn place(&self, _version: u64) -> u64 {
        u64::from(self.edition) % owned::VERSIONS_KEPT
    }
}

impl Owned for Product {
    const KIND: &'static str = "product";
    const PART: Part = Part::Products;
    const PREFIX: &'static str = "prd_";
    const MAX: u32 = Self::MAX;
    const UNIQUE: &'static str = SKU;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
        let pointer = |sku: &domain::money::Sku| Pointer::unique(scope, SKU, sku.as_str(), &self.id);
        self.sku.as_ref().and_then(pointer).into_iter().collect()
    }
}

/// Kind of the claims of SKUs.
pub(crate) const SKU: &str = "sku";

/// Rows that a leg is checked against and sent with.
#[derive(Debug, Clone, Default)]
pub struct LegMaterial {
    /// Its connection.
    pub connection: Option<Connection>,
    /// The template that it names.
    pub template: Option<TemplateDefinition>,
    /// The asset or attachment that it names.
    pub asset: Option<Versioned<Asset>>,
    /// State of the message's campaign, and what ends it for a contact. `None`: it is of none, or its campaign is gone.
    pub campaign: Option<(CampaignState, Exits)>,
}

/// The keys of what a leg is sent with: its connection, template, asset and campaign.
pub(crate) fn keys_of_leg(scope: &TenantScope, with: &SentWith) -> [Option<Key>; 4] {
    let template = with.template.as_ref();
    [
        Some(owned::key::<Connection>(scope, &with.connection)),
        template.map(|(name, language)| template_key(scope, with.connection, name, language)),
        with.asset.map(|file| file_key(scope, file)),
        with.campaign.map(|campaign| owned::key::<Campaign>(scope, &campaign)),
    ]
}

/// The keys of templates, products, assets and campaigns, as far as their ids are known.
pub(crate) fn keys_of(scope: &TenantScope, needs: &Needs) -> [Vec<Key>; 4] {
    let templates = needs.templates.iter().filter(|_| needs.templates.len() <= MAX_BY_KEY);
    let templates = templates.filter_map(|need| {
        let language = need.language.as_deref()?;
        Some(template_key(scope, need.connection, &need.name, language))
    });
    let products = needs.products.iter().filter(|name| name.parse::<ProductId>().is_ok());
    let campaigns = needs.campaigns.iter();
    [
        templates.collect(),
        products.map(|id| owned::key::<Product>(scope, id)).collect(),
        needs.assets.iter().map(|id| file_key(scope, *id)).collect(),
        campaigns.map(|id| owned::key::<Campaign>(scope, id)).collect(),
    ]
}

pub(crate) fn template_key(scope: &TenantScope, connection: ConnectionId, name: &str, language: &str) -> Key {
    owned::key::<TemplateDefinition>(scope, &format!("{connection}#{name}#{language}"))
}

impl Store {
    /// The templates, products, assets and fields of contacts that messages need. One request for all that is named by its key and was not
    /// read along with other rows; besides, in parallel, one for each template in all its languages, two for products that are named by SKU,
    /// and one for the fields.
    pub async fn material(&self, scope: &TenantScope, needs: &Needs, along: &Along) -> Result<Material, StoreError> {
        const DOING: &str = "read what a message is made of";
        let keys = keys_of(scope, needs);
        let named = keys.concat();
        let (mut found, languages, by_sku, fields) = tokio::try_join!(
            Box::pin(self.database.get_further(along, &named, DOING)),
            Box::pin(self.templates_in_all_languages(scope, &needs.templates)),
            Box::pin(self.products_by_sku(scope, &needs.products)),
            Box::pin(self.fields_if(scope, needs.fields))
        )?;
        let [templates, products, assets, campaigns] = &keys;
        let mut material = Material {
            templates: row::live_data(&mut found, templates, DOING)?,
            products: row::live_data(&mut found, products, DOING)?,
            assets: row::live_data(&mut found, assets, DOING)?,
            campaigns: row::live_data(&mut found, campaigns, DOING)?,
            fields,
            links: NewLinks::NONE,
        };
        material.templates.extend(languages);
        // One may be named by its id and by its SKU.
        let others = by_sku.into_iter();
        let others = others.filter(|product| !material.products.iter().any(|known| known.id == product.id));
        material.products.extend(others.collect::<Vec<Product>>());
        Ok(material)
    }

    /// The templates that may be sent in any of their languages. A message names few of them. The set-up asks for those of all rules and
    /// connections: then the tenant's templates are read from beginning to end, which is bounded by their maximum.
    async fn templates_in_all_languages(
        &self,
        scope: &TenantScope,
        needs: &[TemplateNeed],
    ) -> Result<Vec<TemplateDefinition>, StoreError> {
        if needs.len() <= MAX_BY_KEY {
            let needs = needs.iter().filter(|need| need.language.is_none());
            let found = try_join_all(needs.map(|need| self.languages(scope, need))).await?;
            return Ok(found.into_iter().flatten().collect());
        }
        let named = |need: &TemplateNeed| (need.connection, need.name.clone(), need.language.clone());
        let named: HashSet<_> = needs.iter().map(named).collect();
        let mut all = self.all::<TemplateDefinition>(scope).await?;
        all.retain(|template| {
            template.connection.is_some_and(|connection| {
                let is_named = |language| named.contains(&(connection, template.name.clone(), language));
                is_named(None) || is_named(Some(template.language.clone()))
            })
        });
        Ok(all)
    }

    /// A template in all its languages.
    async fn languages(&self, scope: &TenantScope, need: &TemplateNeed) -> Result<Vec<TemplateDefinition>, StoreError> {
        const DOING: &str = "read a template";
        let key = template_key(scope, need.connection, &need.name, "");
        let items = self.database.query(&key.pk, &key.sk, MAX_LANGUAGES, false, DOING);
        let live = items.await?.into_iter().filter(row::live);
        live.map(|item| row::data(item, DOING)).collect()
    }

    /// The tenant's fields of contacts, if they are needed. At most [`Field::MAX`].
    async fn fields_if(&self, scope: &TenantScope, needed: bool) -> Result<Vec<Field>, StoreError> {
        if needed { self.all(scope).await } else { Ok(Vec::new()) }
    }

    /// The products with those of these names that are SKUs.
    async fn products_by_sku(&self, scope: &TenantScope, names: &BTreeSet<String>) -> Result<Vec<Product>, StoreError> {
        const DOING: &str = "read the owners of SKUs";
        let skus = names.iter().filter(|name| name.parse::<ProductId>().is_err());
        let claims: Vec<Key> = skus.map(|sku| keys::claim(scope, SKU, sku)).collect();
        let mut ids = BTreeSet::new();
        for item in self.database.get_many(&claims, DOING).await?.into_values() {
            let id: ProductId = row::data(item, DOING)?;
            ids.insert(id.to_string());
        }
        self.read_existing(scope, &ids).await
    }

    /// Reads the current rows that a leg is checked against and sent with: its connection with its health, its template, its asset, its
    /// campaign. One request, unless they were read along with other rows.
    pub async fn leg_material(
        &self,
        scope: &TenantScope,
        leg: &Leg,
        campaign: Option<CampaignId>,
        along: &Along,
    ) -> Result<LegMaterial, StoreError> {
        const DOING: &str = "read what a message is sent with";
        let keys = keys_of_leg(scope, &SentWith::of(leg, campaign));
        let named: Vec<Key> = keys.iter().flatten().cloned().collect();
        let mut found = self.database.get_further(along, &named, DOING).await?;
        let [connection, template, asset, campaign] = keys.map(|key| key.and_then(|key| found.remove(&key)));
        let connection = row::read_versioned::<Connection>(connection, None, DOING)?;
        let template = row::read_versioned::<TemplateDefinition>(template, None, DOING)?;
        let campaign = row::read_versioned::<Campaign>(campaign, None, DOING)?;
        Ok(LegMaterial {
            connection: connection.map(|found| found.value),
            template: template.map(|found| found.value),
            asset: row::read_versioned(asset, None, DOING)?,
            campaign: campaign.map(|found| (found.value.state, found.value.exits)),
        })
    }

    /// Forgets the id of an asset at the provider of a connection, which does not know the file any more: it is uploaded again when a message
    /// needs it. Returns false if there is none.
    pub async fn forget_upload(
        &self,
        scope: &TenantScope,
        asset: &Versioned<Asset>,
        connection: ConnectionId,
    ) -> Result<bool, StoreError> {
        let mut forgotten = asset.value.clone();
        if forgotten.handles.remove(&connection).is_none() {
            return Ok(false);
        }
        self.note_asset(scope, asset.version, &forgotten).await?;
        Ok(true)
    }
}
