// Calls itself, as pages do that are rendered on the server.
export const dynamic = 'force-dynamic';

export async function GET() {
  const response = await fetch(`http://localhost:${process.env.PORT}/asked`, { cache: 'no-store' });
  return new Response(response.body, { status: response.status });
}
