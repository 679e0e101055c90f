//! Templates: written, submitted, listed again, and doubted.

use anyhow::{Context as _, Result, ensure};
use domain::{
    Timestamp,
    actor::{Actor, Stamp},
    asset::{Asset, AssetIn},
    ids::{AssetId, ConnectionId},
    media::MediaKind,
    message::Category,
    operation::{Data, OperationKind},
    resource::Resource as _,
    template::{TemplateDefinition, TemplateStatus, sync::SyncTemplates},
};
use serde_json::json;
use store::Versioned;

use super::{new_ulid, scope, succeeded};
use crate::{
    endpoints::Tenant,
    iam::Audit,
    play::{Answer, new_phone},
    secrets::random_hex,
};

const TEMPLATES: &str = "/api/v1/templates";

fn whatsapp(business: &Tenant) -> Result<ConnectionId> {
    let id = business.connections.get("whatsapp");
    let id = id.context("the business has WhatsApp")?;
    id.parse().context("reading a connection's id")
}

fn stamp() -> Stamp {
    Stamp {
        actor: Actor::Operator,
        at: Timestamp::now(),
        correlation_id: "iam".to_owned(),
    }
}

impl Audit<'_> {
    /// A picture that can be the sample of a template.
    pub(super) async fn header_picture(&self, business: &Tenant) -> Result<AssetId> {
        const BYTES: &str = "a picture";
        let scope = scope(business)?;
        let name = "audited.jpg".parse().context("it is the name of a file")?;
        let mut asset = Asset::new(new_ulid()?, AssetIn { name }, Timestamp::now());
        asset.kind = MediaKind::Image;
        asset.uploaded("image/jpeg", BYTES.len() as u64, "00".repeat(32), false);
        self.play.store.create(&scope, &asset, &stamp()).await?;
        let bare = |id: &str, prefix: &str| id.trim_start_matches(prefix).to_owned();
        let key = format!(
            "assets/{}/{}",
            bare(&business.id, "tnt_"),
            bare(&asset.id.to_string(), "ast_")
        );
        let put = json!({ "Bucket": self.output("PeopleFilesName")?, "Key": key, "Body": BYTES });
        self.aws.call("s3", "put_object", put).await?;
        Ok(asset.id)
    }

    /// A template with a picture is written and submitted.
    pub(super) async fn submitted(&self, business: &Tenant) -> Result<Answer> {
        let (connection, sample) = (whatsapp(business)?, self.header_picture(business).await?);
        let draft = json!({
            "connection_id": connection, "name": format!("audited_{}", random_hex(4)?), "language": "en",
            "content": {
                "category": "utility", "header": { "media": "image", "sample_asset_id": sample },
                "body": "Hello {{1}}, this is what you asked us for.", "samples": { "1": "Maya" },
            },
        });
        let made = self.api(business, "POST", TEMPLATES, Some(draft)).await?;
        ensure!(made.status == 201, "no template: {} {}", made.status, made.body);
        let place = made.header("location").context("it says where it is")?;
        self.api(business, "POST", &format!("{place}/submit"), Some(json!({})))
            .await
    }

    /// A user has the templates listed again.
    pub(super) async fn listed_again(&self, business: &Tenant) -> Result<Answer> {
        let path = format!("{TEMPLATES}/sync");
        self.api(business, "POST", &path, Some(json!({}))).await
    }

    /// Templates are listed again, of which one is new, one has changed, and one is gone.
    pub(super) async fn synced(&self, business: &Tenant) -> Result<()> {
        let (store, scope, connection) = (&self.play.store, scope(business)?, whatsapp(business)?);
        let submitted = succeeded(&self.submitted(business).await?, "submitting a template")?;
        let id = submitted["id"].as_str().unwrap_or_default().replace('.', "#");
        let known: Option<Versioned<TemplateDefinition>> = store.get(&scope, &id).await?;
        store.remove(&scope, &known.context("it is stored")?, &stamp()).await?;
        self.invented(business, None).await?;
        self.reported_template(business, "PAUSED").await?;
        // The second list is that of another step.
        let params = SyncTemplates {
            connections: vec![connection, connection],
            wanted: true,
            awaited: false,
        };
        let kind = OperationKind::SyncTemplates;
        self.due_operation(&scope, kind, Data::of(&params)?).await?;
        self.dispatch().await
    }

    /// All of that, and the end of the list is waited for.
    pub(super) async fn templates(&self, business: &Tenant) -> Result<()> {
        let submitted = succeeded(&self.submitted(business).await?, "submitting a template")?;
        let id = submitted["id"].as_str().context("a template has an id")?;
        let place = format!("{TEMPLATES}/{id}");
        for end in ["", "/numbers", "/uses", "/versions"] {
            let path = format!("{place}{end}");
            succeeded(&self.api(business, "GET", &path, None).await?, &path)?;
        }
        let deleted = self.api(business, "DELETE", &place, None).await?;
        ensure!(
            deleted.status == 204,
            "it is not deleted: {} {}",
            deleted.status,
            deleted.body
        );
        self.synced(business).await?;
        let started = self.listed_again(business).await?;
        self.ends_well(business, &started).await?;
        self.syncs_started().await
    }

    /// Lists that are due are started.
    pub(super) async fn syncs_started(&self) -> Result<()> {
        self.invoke("start_template_syncs", json!({})).await
    }

    /// A template that WhatsApp does not know, perhaps with a medium in its header. Returns its name.
    pub(super) async fn invented(&self, business: &Tenant, header_media: Option<MediaKind>) -> Result<String> {
        let invented = TemplateDefinition {
            connection: Some(whatsapp(business)?),
            name: format!("invented_{}", random_hex(4)?),
            language: "en".to_owned(),
            category: Category::Utility,
            status: TemplateStatus("APPROVED".to_owned()),
            body: "Hello.".to_owned(),
            header_media,
            ..TemplateDefinition::empty()
        };
        let scope = scope(business)?;
        self.play.store.create(&scope, &invented, &stamp()).await?;
        Ok(invented.name)
    }

    /// Messages are refused because WhatsApp knows their templates otherwise: in the answer, and later.
    pub(super) async fn doubted(&self, business: &Tenant) -> Result<()> {
        let name = self.invented(business, None).await?;
        let message = json!({
            "phone": new_phone()?, "category": "utility", "basis": "An order",
            "template": { "name": name, "language": "en" },
        });
        let path = "/api/v1/messages/send-template";
        succeeded(&self.api(business, "POST", path, Some(message)).await?, path)?;
        self.comes_to_use("send_message", "dynamodb:PutItem", "T#*#OP").await?;

        let from = new_phone()?;
        self.switched_off(business, &from).await?;
        self.missed_from(business, &from).await?;
        self.failed_later(business, &from, 132_000).await?;
        self.comes_to_use("process_provider_event", "dynamodb:PutItem", "T#*#OP")
            .await
    }
}
