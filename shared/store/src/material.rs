//! Reading of the templates, products, assets and fields of contacts that a message needs.

use std::collections::{BTreeSet, HashSet};

use domain::{
    asset::Asset,
    connection::Connection,
    field::Field,
    ids::{ConnectionId, ProductId},
    material::Material,
    message::Leg,
    needs::{Needs, TemplateNeed},
    product::Product,
    template::TemplateDefinition,
};
use futures::future::try_join_all;

use crate::{
    Owned, Part, Pointer, Store, StoreError, TenantScope, Versioned,
    keys::{self, Key},
    owned, row,
};

/// Maximum languages of a template at Meta.
const MOST_LANGUAGES: i32 = 100;

/// Maximum templates that are read one by one.
const MOST_ONE_BY_ONE: usize = 20;

impl Owned for TemplateDefinition {
    const KIND: &'static str = "template";
    const PART: Part = Part::Templates;
    const PREFIX: &'static str = "conn_";
    /// Meta's own limit for an account.
    const MOST: u32 = 6_000;
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
    const MOST: u32 = Self::MOST;
    const UNIQUE: &'static str = SKU;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
        let pointer = |sku: &domain::product::Sku| Pointer::unique(scope, SKU, sku.as_str(), &self.id);
        self.sku.as_ref().and_then(pointer).into_iter().collect()
    }
}

const SKU: &str = "sku";

/// What a leg is checked against and sent with.
#[derive(Debug, Clone, Default)]
pub struct LegMaterial {
    /// Its connection.
    pub connection: Option<Connection>,
    /// The template that it names.
    pub template: Option<TemplateDefinition>,
    /// The asset that it names.
    pub asset: Option<Versioned<Asset>>,
}

pub(crate) fn template_key(scope: &TenantScope, connection: ConnectionId, name: &str, language: &str) -> Key {
    owned::key::<TemplateDefinition>(scope, &format!("{connection}#{name}#{language}"))
}

impl Store {
    /// The templates, products, assets and fields of contacts that messages need: one request for each template, one for each hundred
    /// products (two if some are named by SKU) and each hundred assets, and one for the fields, in parallel.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn material(&self, scope: &TenantScope, needs: &Needs) -> Result<Material, StoreError> {
        let (templates, products, assets, fields) = tokio::try_join!(
            Box::pin(self.templates_named(scope, &needs.templates)),
            Box::pin(self.products_named(scope, &needs.products)),
            Box::pin(self.assets_named(scope, &needs.assets)),
            Box::pin(self.fields_if(scope, needs.fields))
        )?;
        Ok(Material {
            templates,
            products,
            assets,
            fields,
            link: None,
        })
    }

    /// The templates with these names. A message names few of them. The set-up asks for those of all rules and connections:
    /// then the tenant's templates are read from beginning to end, which is bounded by their maximum.
    async fn templates_named(
        &self,
        scope: &TenantScope,
        needs: &[TemplateNeed],
    ) -> Result<Vec<TemplateDefinition>, StoreError> {
        if needs.len() <= MOST_ONE_BY_ONE {
            let found = try_join_all(needs.iter().map(|need| self.languages(scope, need))).await?;
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

    /// The possible languages of a template.
    async fn languages(&self, scope: &TenantScope, need: &TemplateNeed) -> Result<Vec<TemplateDefinition>, StoreError> {
        const DOING: &str = "read a template";
        let language = need.language.as_deref().unwrap_or_default();
        let key = template_key(scope, need.connection, &need.name, language);
        let items = if language.is_empty() {
            self.database
                .query(&key.pk, &key.sk, MOST_LANGUAGES, false, DOING)
                .await?
        } else {
            self.database.get(&key, DOING).await?.into_iter().collect()
        };
        let live = items.into_iter().filter(row::live);
        live.map(|item| row::data(item, DOING)).collect()
    }

    /// The tenant's fields of contacts, if they are needed. At most [`Field::MOST`].
    async fn fields_if(&self, scope: &TenantScope, needed: bool) -> Result<Vec<Field>, StoreError> {
        if needed { self.all(scope).await } else { Ok(Vec::new()) }
    }

    /// The products with these ids and SKUs.
    async fn products_named(&self, scope: &TenantScope, names: &BTreeSet<String>) -> Result<Vec<Product>, StoreError> {
        const DOING: &str = "read the owners of SKUs";
        let (mut ids, mut claims) = (BTreeSet::new(), Vec::new());
        for name in names {
            if name.parse::<ProductId>().is_ok() {
                ids.insert(name.clone());
            } else {
                claims.push(keys::claim(scope, SKU, name));
            }
        }
        for item in self.database.get_many(&claims, DOING).await?.into_values() {
            let id: ProductId = row::data(item, DOING)?;
            ids.insert(id.to_string());
        }
        self.some(scope, &ids).await
    }

    /// What a leg is checked against and sent with, as it is now: its connection with its health, its template, its asset. One request.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn leg_material(&self, scope: &TenantScope, leg: &Leg) -> Result<LegMaterial, StoreError> {
        const DOING: &str = "read what a message is sent with";
        let (template, asset) = (leg.content.template(), leg.content.asset());
        if template.is_none() && asset.is_none() {
            return Ok(LegMaterial {
                connection: self.connection(scope, leg.connection).await?,
                ..LegMaterial::default()
            });
        }
        let connection_key = owned::key::<Connection>(scope, &leg.connection);
        let template_key = template.map(|filled| template_key(scope, leg.connection, &filled.name, &filled.language));
        let asset_key = asset.map(|used| owned::key::<Asset>(scope, &used.asset_id));
        let wanted: Vec<Key> = [Some(&connection_key), template_key.as_ref(), asset_key.as_ref()]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let connection = row::versioned::<Connection>(found.remove(&connection_key), None, DOING)?;
        let template = template_key.and_then(|key| found.remove(&key));
        let template = row::versioned::<TemplateDefinition>(template, None, DOING)?;
        let asset = asset_key.and_then(|key| found.remove(&key));
        Ok(LegMaterial {
            connection: connection.map(|found| found.value),
            template: template.map(|found| found.value),
            asset: row::versioned(asset, None, DOING)?,
        })
    }

    /// Forgets the id of an asset at the provider of a connection, which does not know the file any more: it is uploaded again when a message
    /// needs it. Returns false if there is none.
    ///
    /// # Errors
    /// If the table does not answer, or a conflict.
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
