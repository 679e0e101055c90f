//! Files in messages: sent by WhatsApp and through Twilio, shown by templates, and forgotten by WhatsApp.

use anyhow::{Context as _, Result, ensure};
use domain::{
    Timestamp,
    ids::{AssetId, ConnectionId},
    media::MediaKind,
    message::{Channel, MessageState},
    phone::Phone,
};
use serde_json::{Value, json};

use super::{PATIENCE, scope, succeeded};
use crate::{
    endpoints::Tenant,
    iam::Audit,
    play::{Customer, new_phone},
};

const MESSAGES: &str = "/api/v1/messages";

impl Audit<'_> {
    /// Files are sent, one of which WhatsApp does not know any more, and one that it cannot send. A call is answered with one.
    pub(super) async fn files_sent(&self) -> Result<()> {
        let business = self.open().await?;
        let asset = self.ready_asset(&business).await?;
        let person = self.wrote_first(&business).await?;
        self.file_read(&business, &person, asset).await?;
        self.file_unknown(&business, asset).await?;
        self.file_failed(&business, asset).await?;
        self.answered_with_a_picture().await?;
        self.file_linked().await
    }

    /// An asset with its file.
    pub(super) async fn ready_asset(&self, business: &Tenant) -> Result<AssetId> {
        let (place, done) = self.completed(business).await?;
        ensure!(done.status == 200, "it is not ready: {} {}", done.status, done.body);
        let id = place.rsplit('/').next().unwrap_or_default();
        id.parse().context("reading an asset's id")
    }

    /// A customer who has just written, so that anything can be sent.
    async fn wrote_first(&self, business: &Tenant) -> Result<Phone> {
        let from = new_phone()?;
        self.wrote(business, &from).await?;
        Ok(from)
    }

    async fn wrote(&self, business: &Tenant, from: &Phone) -> Result<()> {
        let asked = "What do you have today?";
        self.play.reply(&business.id, from, Channel::WhatsApp, asked).await?;
        let open = |customer: &Customer| {
            let written = customer.received.first()?;
            (written.message.channel == Channel::WhatsApp).then_some(())
        };
        let what = "a customer's message";
        self.play.known(&business.id, from, PATIENCE, what, open).await
    }

    /// A file is requested to be sent.
    async fn file_sent(&self, business: &Tenant, to: &Phone, asset: AssetId) -> Result<()> {
        let message = json!({
            "phone": to, "category": "utility", "basis": "A question", "media": { "asset_id": asset },
        });
        let sent = self.api(business, "POST", MESSAGES, Some(message)).await?;
        succeeded(&sent, "sending a file").map(drop)
    }

    /// The same, until the customer has read it.
    async fn file_read(&self, business: &Tenant, to: &Phone, asset: AssetId) -> Result<()> {
        self.file_sent(business, to, asset).await?;
        let read = |customer: &Customer| {
            let message = customer.messages.last()?;
            let has_file = message.plan.iter().any(|leg| leg.content.asset().is_some());
            (has_file && message.state() == MessageState::Read).then_some(())
        };
        self.play
            .known(&business.id, to, PATIENCE, "a file that is read", read)
            .await
    }

    /// WhatsApp does not know the id of a file that is sent: it is uploaded again.
    async fn file_unknown(&self, business: &Tenant, asset: AssetId) -> Result<()> {
        let (store, scope) = (&self.play.store, scope(business)?);
        let known = store.asset(&scope, asset).await?.context("the asset has a row")?;
        let mut stale = known.value;
        let connection = business.connections.get("whatsapp");
        let connection: ConnectionId = connection.context("the business has WhatsApp")?.parse()?;
        stale.keep_handle(connection, "1".parse()?, Timestamp::now());
        store.note_asset(&scope, known.version, &stale).await?;
        let person = self.wrote_first(business).await?;
        self.file_read(business, &person, asset).await?;
        self.comes_to_use("send_message", "dynamodb:PutItem", "T#*#ASSET").await
    }

    /// WhatsApp reports that it cannot send a file that it has accepted.
    async fn file_failed(&self, business: &Tenant, asset: AssetId) -> Result<()> {
        let person = self.wrote_first(business).await?;
        self.switched_off(business, &person).await?;
        self.file_sent(business, &person, asset).await?;
        self.failed_later(business, &person, 131_053).await?;
        self.comes_to_use("process_provider_event", "dynamodb:PutItem", "T#*#ASSET")
            .await
    }

    /// An automation sends a template with a picture.
    async fn answered_with_a_picture(&self) -> Result<()> {
        let business = self.open().await?;
        let picture = self.header_picture(&business).await?;
        let name = self.invented(&business, Some(MediaKind::Image)).await?;
        let automation = json!({
            "name": "With a picture", "priority": -1,
            "then": {
                "channels": ["whatsapp"],
                "template": { "name": name, "language": "en", "header_media": picture },
            },
        });
        let path = "/api/v1/automations";
        succeeded(&self.api(&business, "POST", path, Some(automation)).await?, path)?;
        let path = "/api/v1/tenant/setup";
        succeeded(&self.api(&business, "GET", path, None).await?, path)?;
        self.missed(&business).await?;
        self.comes_to_use("process_call", "dynamodb:BatchGetItem", "T#*#ASSET")
            .await
    }

    /// Twilio fetches a file by its link.
    async fn file_linked(&self) -> Result<()> {
        let (sender, from) = (new_phone()?, new_phone()?);
        let through_twilio = |plan: &mut crate::business::Plan| plan.whatsapp_through_twilio(&sender);
        let business = self.town.open("Audited", through_twilio).await?;
        self.missed_from(&business, &from).await?;
        self.play
            .accepted(&business.id, &from, Channel::WhatsApp, PATIENCE)
            .await?;
        self.wrote(&business, &from).await?;
        let asset = self.ready_asset(&business).await?;
        self.file_read(&business, &from, asset).await
    }

    /// The customer's phone is off, so that nothing more is reported of what is sent to it.
    pub(super) async fn switched_off(&self, business: &Tenant, phone: &Phone) -> Result<()> {
        let fault = json!({ "tenant": business.id, "api": "graph", "kind": "offline", "number": phone });
        self.play.fault(fault).await.map(drop)
    }

    /// WhatsApp reports a failure of the first message to a customer that it has accepted.
    pub(super) async fn failed_later(&self, business: &Tenant, to: &Phone, code: i64) -> Result<()> {
        let reference = |customer: &Customer| {
            let attempts = customer.messages.iter().flat_map(|message| &message.attempts);
            let mut by_whatsapp = attempts.filter_map(|attempt| attempt.provider_ref.clone());
            by_whatsapp.next()
        };
        let what = format!("a message by {} that is accepted", Channel::WhatsApp.name());
        let reference = self.play.known(&business.id, to, PATIENCE, &what, reference).await?;
        let status: Value = json!({
            "id": reference, "status": "failed", "recipient_id": to.digits(),
            "timestamp": (Timestamp::now().as_second() + 1).to_string(),
            "errors": [{ "code": code, "title": "Failed" }],
        });
        self.change(business, "messages", json!({ "statuses": [status] }))
            .await
            .map(drop)
    }
}
