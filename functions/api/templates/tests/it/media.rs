//! Samples of media headers: from the bucket to WhatsApp.

use domain::media::{Asset, AssetIn, MediaKind};
use domain::terms::Resource as _;
use kit::{FileKey, Files};
use serde_json::{Value, json};
use testkit::Aws;

use super::{ALL, World, order, submit};

/// An asset of this many bytes, whose file is in the bucket if it `is_there`.
async fn asset(world: &World<'_>, bytes: usize, is_there: bool) -> Asset {
    let (aws, scope) = (world.aws, world.business.scope());
    let name = "cake.jpg".parse().unwrap();
    let mut asset = Asset::new(aws.ids().ulid(), AssetIn { name }, aws.now());
    asset.kind = MediaKind::Image;
    asset.record_upload("image/jpeg", bytes as u64, "00".repeat(32), false);
    aws.store().create(scope, &asset, &aws.stamp()).await.unwrap();
    if is_there {
        let files = Files::new(aws.env()).unwrap();
        let mut copy = files.copy(FileKey::asset(scope, asset.id));
        copy.add(&vec![7; bytes]).await.unwrap();
        copy.complete().await.unwrap();
    }
    asset
}

fn with_sample(asset: &Asset) -> Value {
    let mut new = order();
    new["content"]["header"] = json!({"media": "image", "sample_asset_id": asset.id});
    new
}

#[tokio::test]
async fn a_sample_is_uploaded_before_its_template() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let asset = asset(&world, 5 * 1024 * 1024, true).await;
    manager.post(ALL, with_sample(&asset)).await.is(201);
    submit(&manager, &world.path("order_1.en_GB", "")).await.is(200);
    let sent = world.meta.take();
    let [(_, open, _), (_, upload, _), (_, create, body)] = &sent[..] else {
        panic!("{sent:?}")
    };
    assert!(
        open.starts_with("/v26.0/app/uploads?") && open.contains("file_length=5242880"),
        "{open}"
    );
    assert_eq!(upload, "/v26.0/upload:SESSION");
    assert!(create.ends_with("/message_templates"), "{create}");
    let header = json!({"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::HANDLE"]}});
    assert_eq!(body["components"][0], header);
}

#[tokio::test]
async fn a_template_without_its_sample_is_not_submitted() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let gone = asset(&world, 100, false).await;
    manager.post(ALL, with_sample(&gone)).await.is(201);
    let (path, field) = (world.path("order_1.en_GB", ""), "content.header.sample_asset_id");
    submit(&manager, &path).await.is(422).names_field(field);
    let never = format!("ast_{}", aws.ids().ulid().to_string().to_ascii_lowercase());
    let change = json!({"content": {"header": {"sample_asset_id": never}}});
    manager.patch(&path, change).await.is(200);
    submit(&manager, &path).await.is(422).names_field(field);
    assert!(world.meta.take().is_empty());
    let draft = manager.get(&path).await.json();
    assert_eq!(json!([draft["status"], draft["submitting"]]), json!(["DRAFT", false]));
}
