//! Accounts, and what a new one's owner is given.

use super::inbox::option;
use super::layout::{self, Tab};
use super::qr;
use crate::desk::accounts::Issued;
use crate::desk::rights::role_label;
use crate::desk::sign_in::Signed;
use crate::pages::{Beijing, Escaped, push};
use crate::store::desk::{OperatorRow, Role};

/// All accounts, and the form for a new one.
pub(crate) fn list(signed: &Signed, operators: &[OperatorRow], departments: &[&str]) -> String {
    let mut html = String::with_capacity(4096 + operators.len() * 1024);
    html.push_str(r#"<div class="columns"><div><div class="sheet"><table><thead><tr><th scope="col">账号</th><th scope="col">角色</th><th scope="col">状态</th><th scope="col">建立时间</th><th scope="col">管理</th></tr></thead><tbody>"#);
    for operator in operators {
        line(&mut html, signed, operator, departments);
    }
    html.push_str(r#"</tbody></table></div></div><aside><section class="sheet card"><h3>新建账号</h3><form method="post" action="/desk/accounts/add">"#);
    html.push_str(&layout::token(signed));
    html.push_str(r#"<label>账号名<input name="name" class="mono" maxlength="32" pattern="[a-z][a-z0-9.\-]+" autocomplete="off" placeholder="例如 chen.wei" required></label>"#);
    duty(&mut html, None, departments);
    html.push_str(r#"<button class="button">建立账号</button></form><p class="hint">建立后会显示一次性密码和动态口令二维码，只显示这一次，请当面交给本人。</p></section></aside></div>"#);
    layout::page(signed, Tab::Accounts, "账号", &html)
}

fn line(html: &mut String, signed: &Signed, operator: &OperatorRow, departments: &[&str]) {
    let (class, state) = match (operator.disabled, operator.must_change) {
        (true, _) => ("returned", "已停用"),
        (false, true) => ("supplement_requested", "待首次登录"),
        (false, false) => ("accepted", "使用中"),
    };
    push(
        html,
        format_args!(
            r#"<tr><td class="code">{}</td><td>{}<span class="sub">{}</span></td><td><span class="badge {class}">{state}</span></td><td class="time">{}</td><td class="act">"#,
            Escaped(&operator.name),
            role_label(operator.role),
            Escaped(&operator.department.clone().unwrap_or_else(|| operator.sites.join(" "))),
            Beijing(operator.created_at_ms),
        ),
    );
    if operator.name == signed.operator.name {
        html.push_str(r#"<span class="sub">您自己</span></td></tr>"#);
        return;
    }
    let hidden = format!(
        r#"{}<input type="hidden" name="name" value="{}">"#,
        layout::token(signed),
        Escaped(&operator.name)
    );
    let (word, label) = if operator.disabled { ("no", "恢复使用") } else { ("yes", "停用账号") };
    push(
        html,
        format_args!(
            r#"<details class="menu"><summary>修改</summary><div><form method="post" action="/desk/accounts/reset">{hidden}<button class="button plain">重置密码与口令</button></form><form method="post" action="/desk/accounts/disable">{hidden}<input type="hidden" name="disabled" value="{word}"><button class="button plain">{label}</button></form><form method="post" action="/desk/accounts/role">{hidden}"#
        ),
    );
    duty(html, Some(operator), departments);
    html.push_str(r#"<button class="button plain">更改角色</button></form></div></details></td></tr>"#);
}

/// Role and department of a form.
fn duty(html: &mut String, present: Option<&OperatorRow>, departments: &[&str]) {
    html.push_str(r#"<label>角色<select name="role">"#);
    for role in [Role::DepartmentWorker, Role::SiteKeeper, Role::Support, Role::Auditor, Role::Administrator]
    {
        option(html, role.code(), role_label(role), present.is_some_and(|present| present.role == role));
    }
    html.push_str(
        r#"</select></label><label>部门（仅部门经办）<select name="department"><option value="">—</option>"#,
    );
    for department in departments {
        let chosen = present.is_some_and(|present| present.department.as_deref() == Some(department));
        option(html, department, department, chosen);
    }
    let kept = present.map(|present| present.sites.join(" ")).unwrap_or_default();
    push(
        html,
        format_args!(
            r#"</select></label><label>终端编号（仅站点管理员）<input name="sites" class="mono" maxlength="400" autocomplete="off" value="{}" placeholder="例如 DG0001 DG0002"></label>"#,
            Escaped(&kept)
        ),
    );
}

/// What a new account's owner is given, shown once.
pub(crate) fn issued(signed: &Signed, issued: &Issued) -> String {
    let body = format!(
        r#"<div class="narrow wide"><section class="sheet door"><h2>账号已就绪：<span class="code">{}</span></h2>
<p class="hint">请当面交给本人。离开此页后不能再次查看，只能重新重置。</p>
<div class="handover"><div>{}</div><dl class="facts one">
<div><dt>一次性密码</dt><dd class="code big">{}</dd></div>
<div><dt>动态口令密钥（不能扫码时手工输入）</dt><dd class="code">{}</dd></div>
</dl></div>
<ol class="todo"><li>本人用手机上的动态口令程序扫描二维码。</li><li>用一次性密码和 6 位动态口令登录。</li><li>按提示换成自己的密码。</li></ol>
<p><a class="button" href="/desk/accounts">已交给本人，返回账号列表</a></p></section></div>"#,
        Escaped(&issued.name),
        qr::svg(&issued.uri),
        Escaped(&issued.password),
        Escaped(&grouped(&issued.secret)),
    );
    layout::page(signed, Tab::Accounts, "账号已就绪", &body)
}

/// Letters in groups of four, as they are typed.
pub(crate) fn grouped(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}
