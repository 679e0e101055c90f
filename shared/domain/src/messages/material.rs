//! Material: the templates, products, fields of contacts and links that a message is made from. A tenant may have thousands, so they are
//! not part of the cached configuration: the composing function reads those that the message names.

use crate::campaigns::Campaign;
use crate::media::Asset;
use crate::messages::NewLinks;
use crate::money::Product;
use crate::people::Field;
use crate::templates::TemplateDefinition;
use crate::terms::{CampaignId, ConnectionId, FieldKey, FileId};

/// The templates, products, fields of contacts and links that a message is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Material {
    /// Templates, in every language that the message may use.
    pub templates: Vec<TemplateDefinition>,
    pub products: Vec<Product>,
    /// All fields that the tenant defines for its contacts, if the message names one.
    pub fields: Vec<Field>,
    /// Assets, and attachments of a reply.
    pub assets: Vec<Asset>,
    /// Campaigns that a rule names.
    pub campaigns: Vec<Campaign>,
    /// The links that the message carries.
    pub links: NewLinks,
}

impl Material {
    pub const NONE: &'static Self = &Self {
        templates: Vec::new(),
        products: Vec::new(),
        fields: Vec::new(),
        assets: Vec::new(),
        campaigns: Vec::new(),
        links: NewLinks::NONE,
    };

    /// A product by its id or SKU.
    pub fn product(&self, name: &str) -> Option<&Product> {
        let by_sku = |product: &&Product| product.sku.as_ref().is_some_and(|sku| sku.as_str() == name);
        let by_id = |product: &&Product| product.id.to_string() == name;
        let mut products = self.products.iter();
        products.find(|product| by_sku(product) || by_id(product))
    }

    /// A field of contacts by its key.
    pub fn field(&self, key: &FieldKey) -> Option<&Field> {
        self.fields.iter().find(|field| field.key == *key)
    }

    /// A campaign by its id.
    pub fn campaign(&self, id: CampaignId) -> Option<&Campaign> {
        self.campaigns.iter().find(|campaign| campaign.id == id)
    }

    /// An asset or attachment by its id.
    pub fn asset(&self, id: FileId) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.id == id)
    }

    /// All language versions of a template that a connection can send.
    pub fn template_versions(
        &self,
        connection: ConnectionId,
        name: &str,
    ) -> impl Iterator<Item = &TemplateDefinition> + Clone {
        let templates = self.templates.iter();
        templates
            .filter(move |template| template.name == name && template.connection.is_none_or(|its| its == connection))
    }
}
