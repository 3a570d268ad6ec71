//! What residents do, by the labels they read. Simplified Chinese unless said otherwise.

use anyhow::Result;
use simulator::client::Client;

/// The first item: 12345 诉求提交.
pub const APPEAL: &str = "12345 诉求提交";
/// What the camera's page says of a good picture.
pub const CAMERA_READY: &str = "放好了，可以拍";

/// From the home screen to "lay your card".
pub async fn begin(kiosk: &Client, item: &str) -> Result<()> {
    agree(kiosk, item).await?;
    kiosk.wait_screen("identify").await.map(drop)
}

/// From the home screen to the consent. With a card in its reader the next page is gone before anybody sees it.
pub async fn agree(kiosk: &Client, item: &str) -> Result<()> {
    kiosk.wait_screen("home").await?;
    kiosk.touch(item).await?;
    kiosk.wait_screen("guide").await?;
    kiosk.touch("开始办理").await?;
    kiosk.wait_screen("consent").await?;
    kiosk.touch("同意").await
}

/// Lays a card, confirms the person, and takes the card off again.
pub async fn identify(kiosk: &Client, card: &str) -> Result<()> {
    kiosk.card(Some(card)).await?;
    kiosk.wait_screen("confirm-person").await?;
    kiosk.card(None).await?;
    kiosk.touch("是我").await?;
    kiosk.wait_screen("question").await.map(drop)
}

/// Answers 12345 诉求提交 and stops at the check page.
pub async fn answer_appeal(kiosk: &Client) -> Result<()> {
    answer_appeal_from_the_card(kiosk, true).await
}

/// The same; a typed resident is asked for the place, too.
pub async fn answer_appeal_from_the_card(kiosk: &Client, place_known: bool) -> Result<()> {
    answer_until_photos(kiosk, place_known).await?;
    kiosk.touch("跳过这一题").await?;
    answer_after_photos(kiosk).await
}

/// Answers 12345 诉求提交 up to the question about photos.
pub async fn answer_until_photos(kiosk: &Client, place_known: bool) -> Result<()> {
    kiosk.wait_text("您想反映哪方面的事？").await?;
    kiosk.touch("噪音太大").await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text("发生了什么事？").await?;
    kiosk.touch("晚上施工或唱歌声音很大，睡不了觉。").await?;
    kiosk.touch("下一题").await?;
    if !place_known {
        kiosk.wait_text("事情发生在哪里？").await?;
        kiosk.key("18 Sample Road").await?;
        kiosk.touch("下一题").await?;
    }
    kiosk.wait_text("要附照片吗？").await.map(drop)
}

/// Takes a photo of what lies under the camera, and keeps it.
pub async fn photo(kiosk: &Client) -> Result<()> {
    kiosk.wait_text(CAMERA_READY).await?;
    kiosk.touch("拍照").await?;
    kiosk.touch("用这张").await
}

/// The rest of 12345 诉求提交, up to the check page.
pub async fn answer_after_photos(kiosk: &Client) -> Result<()> {
    kiosk.wait_text("是哪一天的事？").await?;
    kiosk.touch("日 -1").await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text("办得怎么样，要回复您吗？").await?;
    kiosk.touch("打电话告诉我").await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text("您的电话号码").await?;
    kiosk.key("13800000000").await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_screen("review").await.map(drop)
}

/// Confirms, waits for "saved", and gives the case number on the screen.
pub async fn confirm(kiosk: &Client) -> Result<String> {
    kiosk.touch("确认提交").await?;
    kiosk.wait_screen("receipt").await?;
    case_number(kiosk).await
}

/// The case number on the receipt screen.
pub async fn case_number(kiosk: &Client) -> Result<String> {
    let element = kiosk.wait_text("DG0001-").await?;
    let text = format!("{} {}", element.label, element.value.unwrap_or_default());
    let start = text.find("DG0001-").unwrap_or_default();
    Ok(text[start..].chars().take(17).collect())
}

/// From the receipt home, without a rating.
pub async fn leave(kiosk: &Client) -> Result<()> {
    kiosk.touch("好了，继续").await?;
    kiosk.wait_screen("rating").await?;
    kiosk.touch("不评价").await?;
    kiosk.wait_screen("leaving").await?;
    kiosk.touch("完成").await?;
    kiosk.wait_screen("home").await.map(drop)
}

/// A whole visit: one case, printed. Gives its number.
pub async fn whole_visit(kiosk: &Client, card: &str) -> Result<String> {
    begin(kiosk, APPEAL).await?;
    identify(kiosk, card).await?;
    answer_appeal(kiosk).await?;
    let number = confirm(kiosk).await?;
    kiosk.wait_text("凭条已打印，请取走").await?;
    leave(kiosk).await?;
    Ok(number)
}
