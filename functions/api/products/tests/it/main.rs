//! Products, in process against the emulator, from the callers' point of view.

use std::collections::BTreeSet;

use domain::accounts::Permission;
use domain::media::{Asset, AssetIn, AssetState, MediaKind};
use domain::messages::Needs;
use domain::money::Product;
use domain::terms::{FileId, Resource as _};
use serde_json::{Value, json};
use testkit::api::{House, Town};
use testkit::{Aws, Resource};

const PRODUCTS: &str = "/api/v1/products";

fn cake() -> Value {
    json!({
        "name": "Honey cake",
        "price": {"amount": 12050, "currency": "AED"},
        "url": "https://saffron.example/cake",
        "availability": "in_stock",
        "variants": [{"options": {"size": "L", "colour": "white"}, "price": {"amount": 15000, "currency": "AED"},
            "availability": "preorder"}],
        "fields": {"weight": "1 kg"},
    })
}

fn cake_with_sku(sku: &str) -> Value {
    json!({"name": "Cake", "sku": sku})
}

#[tokio::test]
async fn products_keep_the_promises_of_every_resource() {
    let products = Resource {
        routes: products::routes,
        path: PRODUCTS,
        read: Permission::ProductsRead,
        write: Permission::ProductsWrite,
        new: cake(),
        change: json!({"name": "Date cake", "url": null, "fields": {"weight": null, "taste": "sweet"}}),
    };
    products.keeps_its_promises::<Product>().await;
}

#[tokio::test]
async fn a_sku_belongs_to_one_product_of_the_tenant() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, products::routes).await;
    let manager = town.manager();
    let first = manager.post(PRODUCTS, cake_with_sku("cake-1")).await;
    first.is(201);
    manager
        .post(PRODUCTS, cake_with_sku("cake-1"))
        .await
        .is_refused(409, "taken");
    town.foreign_admin()
        .post(PRODUCTS, cake_with_sku("cake-1"))
        .await
        .is(201);
    let second = manager.post(PRODUCTS, cake_with_sku("cake-2")).await;
    let (first, second) = (first.header("location"), second.header("location"));
    let steal = || manager.patch(second, json!({"sku": "cake-1"}));
    steal().await.is_refused(409, "taken");
    manager.patch(first, json!({"sku": null})).await.is(200);
    steal().await.is(200);
    manager.delete(second).await.is(204);
    manager.patch(first, json!({"sku": "cake-1"})).await.is(200);
}

/// An asset of this type with this name.
async fn asset(town: &Town<'_>, house: &House, content_type: &str, state: AssetState) -> FileId {
    let aws = town.aws();
    let name = "cake.jpg".parse().expect("a name");
    let mut asset = Asset::new(aws.ids().ulid(), AssetIn { name }, aws.now());
    asset.kind = MediaKind::of(content_type).expect("a type of WhatsApp");
    asset.record_upload(content_type, 9, "0f".repeat(32), false);
    asset.state = state;
    let made = aws.store().create(house.scope(), &asset, &aws.stamp()).await;
    made.expect("the asset is written");
    asset.id
}

#[tokio::test]
async fn the_picture_of_a_product_is_a_picture() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, products::routes).await;
    let manager = town.manager();
    let of = async |house, content_type, state| asset(&town, house, content_type, state).await;
    let picture = of(&town.home, "image/jpeg", AssetState::Ready).await;
    let with = |image: FileId| json!({"name": "Cake", "image": image});
    let made = manager.post(PRODUCTS, with(picture)).await;
    assert_eq!(made.is(201).json()["image"], json!(picture));
    let place = made.header("location");
    for (house, content_type, state) in [
        (&town.home, "application/pdf", AssetState::Ready),
        (&town.home, "image/webp", AssetState::Ready),
        (&town.home, "image/jpeg", AssetState::AwaitingUpload),
        (&town.home, "image/jpeg", AssetState::Scanning),
        (&town.home, "image/jpeg", AssetState::Refused),
        (&town.away, "image/jpeg", AssetState::Ready),
    ] {
        let other = of(house, content_type, state).await;
        manager.post(PRODUCTS, with(other)).await.names_only(&["image"]);
        let refused = manager.patch(place, json!({"image": other})).await;
        refused.names_only(&["image"]);
    }
    // One that was deleted meanwhile prevents no other change.
    town.home.remove::<Asset>(&aws, &picture.to_string()).await;
    manager.patch(place, json!({"name": "Honey cake"})).await.is(200);
    manager.patch(place, json!({"image": null})).await.is(200);
    manager
        .patch(place, json!({"image": picture}))
        .await
        .names_only(&["image"]);
}

/// Messages read the latest version.
#[tokio::test]
async fn messages_find_a_product_by_sku_and_id() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, products::routes).await;
    let made = town.manager().post(PRODUCTS, cake_with_sku("cake-1")).await;
    let place = made.header("location");
    let price = json!({"price": {"amount": 900, "currency": "JPY"}});
    town.manager().patch(place, price).await.is(200);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    for name in ["cake-1", &id] {
        let needs = Needs {
            products: BTreeSet::from([name.to_owned()]),
            ..Needs::default()
        };
        let material = aws
            .store()
            .material(town.home.scope(), &needs, &store::Along::default())
            .await
            .unwrap();
        let product = material.product(name).unwrap();
        assert_eq!(product.price.as_ref().unwrap().to_string(), "900 JPY");
    }
}

#[tokio::test]
async fn every_text_number_and_list_is_bounded() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, products::routes).await;
    let many =
        |count: usize, length: usize| -> Value { (0..count).map(|n| (format!("f{n}"), "x".repeat(length))).collect() };
    for (field, value, named) in [
        ("name", json!("x".repeat(201)), "name"),
        ("name", json!(" "), "name"),
        ("sku", json!("a b"), "sku"),
        ("price", json!({"amount": -1, "currency": "AED"}), "price.amount"),
        (
            "price",
            json!({"amount": 1_000_000_000_001_u64, "currency": "AED"}),
            "price.amount",
        ),
        ("price", json!({"amount": 1, "currency": "aed"}), "price.currency"),
        ("price", json!({"amount": 1, "currency": "DIRHAM"}), "price.currency"),
        ("url", json!("ftp://saffron.example"), "url"),
        ("url", json!(format!("https://a/{}", "x".repeat(1_991))), "url"),
        ("availability", json!("sold"), "availability"),
        ("variants", json!(vec![json!({"options": {}}); 101]), "variants"),
        ("variants", json!([{"options": {}, "more": 1}]), "variants[0].more"),
        ("variants", json!([{"options": many(21, 1)}]), "variants[0].options"),
        ("fields", many(21, 1), "fields"),
        ("fields", json!({"a": "x".repeat(501)}), "fields.a"),
        ("fields", json!({"a.b": "c"}), "fields"),
        // Each within its bounds, and together too large.
        ("variants", json!(vec![json!({"options": many(20, 500)}); 4]), ""),
    ] {
        let mut body = cake();
        body[field] = value;
        town.manager().post(PRODUCTS, body).await.names_field(named);
    }
}
