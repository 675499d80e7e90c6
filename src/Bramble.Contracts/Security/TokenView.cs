namespace Bramble.Contracts.Security;

/// <summary>What a token may do; each role may do all that the one before may.</summary>
public enum Role
{
    /// <summary>Read everything but secrets.</summary>
    Viewer,

    /// <summary>Act on nodes, power and images.</summary>
    Operator,

    /// <summary>Also tokens.</summary>
    Admin,
}

public sealed record TokenView(
    string Id, string Name, Role Role, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt);

public sealed record TokenCreate(string Name, Role Role, DateTimeOffset? ExpiresAt = null);

/// <summary>The only time that the secret is shown.</summary>
public sealed record TokenCreated(TokenView Token, string Secret);
