using Bramble.Manager.Provisioning;

namespace Bramble.Manager.Tests.Provisioning;

public sealed class TextTemplateTests
{
    private static readonly Dictionary<string, string> s_variables = new()
    {
        ["name"] = "pi-03",
        ["label.role"] = "{{name}}",
        ["empty"] = "",
    };

    [Theory]
    [InlineData("", "")]
    [InlineData("no places\n", "no places\n")]
    [InlineData("{{name}}", "pi-03")]
    [InlineData("a {{ name }} b {{name}}{{empty}} c", "a pi-03 b pi-03 c")]
    [InlineData("{{label.role}}", "{{name}}")]
    [InlineData("{{{{name}}", "{{name}}")]
    [InlineData("{ } }} {name}", "{ } }} {name}")]
    public void Places_are_filled_in_one_pass(string template, string text) =>
        Assert.Equal(text, TextTemplate.Render(template, s_variables, "x"));

    [Theory]
    [InlineData("a\nb {{nmae}}", "x.tmpl, line 2: there is no variable 'nmae'; there are empty, label.role, name")]
    [InlineData("a\n\n{{name", "x.tmpl, line 3: '{{' is not closed by '}}'")]
    [InlineData("{{}}", "x.tmpl, line 1: there is no variable ''")]
    public void A_mistake_is_named_with_its_line(string template, string message) => Assert.StartsWith(message,
        Assert.Throws<TemplateException>(() => TextTemplate.Render(template, s_variables, "x.tmpl")).Message,
        StringComparison.Ordinal);
}
