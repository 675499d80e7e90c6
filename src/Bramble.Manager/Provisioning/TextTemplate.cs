using System.Text;

namespace Bramble.Manager.Provisioning;

/// <summary>A template names a variable that there is not, or is not closed.</summary>
public sealed class TemplateException(string message) : Exception(message);

/// <summary>
/// Text with <c>{{name}}</c> places. Nothing but substitution: no loops, no code. <c>{{{{</c> stands for two braces.
/// </summary>
public static class TextTemplate
{
    /// <param name="source">What to call the template in an error.</param>
    /// <exception cref="TemplateException">With line, and the variables that there are.</exception>
    public static string Render(string template, IReadOnlyDictionary<string, string> variables, string source)
    {
        var result = new StringBuilder(template.Length);
        var at = 0;
        while (true)
        {
            var open = template.IndexOf("{{", at, StringComparison.Ordinal);
            if (open < 0) return result.Append(template, at, template.Length - at).ToString();
            result.Append(template, at, open - at);
            if (template.AsSpan(open).StartsWith("{{{{"))
            {
                result.Append("{{");
                at = open + 4;
                continue;
            }
            var line = template.AsSpan(0, open).Count('\n') + 1;
            var close = template.IndexOf("}}", open, StringComparison.Ordinal);
            if (close < 0) throw new TemplateException($"{source}, line {line}: '{{{{' is not closed by '}}}}'");
            var name = template[(open + 2)..close].Trim();
            if (!variables.TryGetValue(name, out var value))
            {
                throw new TemplateException($"{source}, line {line}: there is no variable '{name}'; there are "
                    + string.Join(", ", variables.Keys.Order()));
            }
            result.Append(value);
            at = close + 2;
        }
    }
}
