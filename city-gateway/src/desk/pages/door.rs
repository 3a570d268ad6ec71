//! Signing in and choosing a password.

use super::layout::{self, Tab};
use crate::desk::password::{LONGEST, SHORTEST};
use crate::desk::sign_in::Signed;
use crate::pages::Escaped;

fn alert(why: Option<&str>) -> String {
    why.map(|why| format!(r#"<p class="wrong" role="alert">{}</p>"#, Escaped(why))).unwrap_or_default()
}

/// The door.
pub(crate) fn sign_in(why: Option<&str>) -> String {
    let body = format!(
        r#"<h2>工作人员登录</h2>
{}<form method="post" action="/desk/sign-in">
<label>账号<input name="name" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64" required autofocus></label>
<label>密码<input name="password" type="password" autocomplete="current-password" maxlength="256" required></label>
<label>动态口令<input name="code" class="digits" inputmode="numeric" autocomplete="one-time-code" maxlength="7" placeholder="6 位数字" required></label>
<button class="button">登录</button>
</form>
<p class="hint">忘记密码或丢失手机，请联系本单位管理员重置账号。</p>"#,
        alert(why)
    );
    layout::card("登录", &body)
}

/// A new password.
pub(crate) fn password(signed: &Signed, why: Option<&str>) -> String {
    let first = if signed.operator.must_change {
        r#"<p class="hint">这是由管理员发放的一次性密码。请先换成只有您知道的密码，再开始工作。</p>"#
    } else {
        ""
    };
    let body = format!(
        r#"<div class="narrow"><section class="sheet door"><h2>修改密码</h2>
{first}{}<form method="post" action="/desk/password">{}
<input type="hidden" name="username" autocomplete="username" value="{}">
<label>当前密码<input name="current" type="password" autocomplete="current-password" maxlength="256" required></label>
<label>新密码<input name="new" type="password" autocomplete="new-password" minlength="{SHORTEST}" maxlength="{LONGEST}" required></label>
<label>再输一次新密码<input name="again" type="password" autocomplete="new-password" maxlength="{LONGEST}" required></label>
<button class="button">保存新密码</button>
</form>
<p class="hint">至少 {SHORTEST} 个字符，可以是一句容易记住的话。修改后，您在其他电脑上的登录都会失效。</p></section></div>"#,
        alert(why),
        layout::token(signed),
        Escaped(&signed.operator.name),
    );
    layout::page(signed, Tab::None, "修改密码", &body)
}
